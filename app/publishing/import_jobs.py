"""A bundle that is too long for its request: a job brings its lines in, a few in each transaction.

What a line does is decided in ``incoming.py``; the bytes wait in ``app/sync/uploads.py``.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import asdict
from itertools import islice
from typing import Any

from app.database import Database, Writer
from app.errors import Invalid, Malformed
from app.formats import bundle
from app.publishing import reading_ahead
from app.publishing.checks import Terms
from app.publishing.incoming import Import, Permit, Report
from app.search import index
from app.sync import jobs, uploads
from app.sync.jobs import Job, Lease

JOB = "import"
_PROCESSES = 1
"""How many read the texts of a job: the other processors are left to answer requests."""

Around = Callable[[], AbstractContextManager[None]]
"""What a step of a job is done within, once for each step."""


def submit(writer: Writer, job_id: str, permit: Permit, lines: int) -> Job:
    """Let a job bring in the lines of the upload that has its id, in the caller's name, some at a time."""
    payload: dict[str, Any] = {"caller": writer.caller, "reason": writer.reason}
    payload |= {"offset": 0, "report": Report().model_dump()}
    payload |= {"admin": permit.admin, "publish": permit.publish and asdict(permit.publish)}
    return jobs.create(writer, JOB, payload, (0, lines), job_id)


@contextmanager
def reading(database: Database, lease: Lease) -> Iterator[Around]:
    """Let the texts of a long bundle be read in a process of their own, for as long as its job is carried on here.

    Its steps find them read; a step of a short one reads its own.
    """
    offset = lease.payload["offset"]
    with database.reading() as reader:
        rest = sum(map(len, islice(uploads.read(reader, lease.id, offset), 2)))
    if rest <= reading_ahead.WORTH_BYTES:
        yield nullcontext
        return
    with reading_ahead.pool(_PROCESSES) as processes:
        portions = bundle.portions(bundle.split(_pieces(database, lease.id, offset)))
        read = reading_ahead.ahead(processes, portions, every=lease.payload["publish"] is not None)

        def around() -> AbstractContextManager[None]:
            with suppress(Malformed):  # which the step will tell
                return index.read_ahead(next(read, ([], {}))[1])
            return nullcontext()

        yield around


def _pieces(database: Database, job_id: str, offset: int) -> Iterator[bytes]:
    """The body from this byte on, each piece read in a transaction of its own."""
    while True:
        with database.reading() as reader:
            piece = next(uploads.read(reader, job_id, offset), b"")
        if not piece:
            return
        yield piece
        offset += len(piece)


def step(writer: Writer, lease: Lease) -> Lease | None:
    """Bring in the next lines of a job; the job as it is held on to, None when there is no more to do."""
    payload = lease.payload
    writer.caller, writer.reason = payload["caller"], payload["reason"]
    terms = payload["publish"] and Terms(**payload["publish"])
    work = Import(Permit(payload["admin"], terms), Report.model_validate(payload["report"]))
    try:
        lines = next(bundle.portions(bundle.split(uploads.read(writer, lease.id, payload["offset"]))), [])
        if lines:
            work.bring(writer, lines)
    except (Malformed, Invalid) as error:
        jobs.fail(writer, lease, error.code, error.detail, result=payload["report"])
        uploads.drop(writer, lease.id)
        return None
    report = work.report.model_dump()
    if not lines:
        jobs.finish(writer, lease, report, report.pop("errors"))
        uploads.drop(writer, lease.id)
        return None
    moved = payload | {"offset": payload["offset"] + sum(map(len, lines)), "report": report}
    return jobs.advance(writer, lease, work.report.lines, moved)
