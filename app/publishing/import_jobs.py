"""A bundle that is too long for its request: a job brings its lines in, a few in each transaction.

What a line does is decided in ``incoming.py``; the bytes wait in ``app/sync/uploads.py``.
"""

from dataclasses import asdict
from typing import Any

from app.database import Writer
from app.errors import Invalid, Malformed
from app.formats import bundle
from app.publishing.checks import Terms
from app.publishing.incoming import Import, Permit, Report
from app.sync import jobs, uploads
from app.sync.jobs import Job, Lease

JOB = "import"


def submit(writer: Writer, job_id: str, permit: Permit, lines: int) -> Job:
    """Let a job bring in the lines of the upload that has its id, in the caller's name, some at a time."""
    payload: dict[str, Any] = {"caller": writer.caller, "reason": writer.reason}
    payload |= {"offset": 0, "report": Report().model_dump()}
    payload |= {"admin": permit.admin, "publish": permit.publish and asdict(permit.publish)}
    return jobs.create(writer, JOB, payload, (0, lines), job_id)


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
