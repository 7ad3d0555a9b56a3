"""Work that outlives its request: its rows, who runs it, how far it is.

Nothing is run here: ``app/worker.py`` takes what is due.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import Column, ColumnElement, Integer, Table, or_, select, update
from uuid_utils import uuid7

from app.database import Instant, Json, Key, Reader, Row, Writer, metadata
from app.errors import NotFound
from app.text import instant

LEASE_SECONDS = 60
"""How long a job that nobody carries on stays with who took it; then another may go on with it."""

jobs = Table(
    "jobs",
    metadata,
    Column("id", Key, primary_key=True),
    Column("kind", Key, nullable=False),
    Column("status", Key, nullable=False),
    Column("done", Integer, nullable=False, default=0),
    Column("total", Integer),
    Column("payload", Json),
    Column("errors", Json, nullable=False),
    Column("result", Json),
    Column("created_by", Key),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("leased_until_at", Instant),
)

Status = Literal["queued", "running", "done", "failed"]


@dataclass(frozen=True)
class Job:
    """One job as it is answered: how many of how many steps are done, what failed, what came of it."""

    id: str
    kind: str
    status: Status
    done: int
    total: int | None
    errors: list[Any]
    result: Any

    def resource(self) -> dict[str, Any]:
        """The job as JSON (DESIGN, section 4, Shapes)."""
        return asdict(self)


@dataclass(frozen=True)
class Lease:
    """A job in somebody's hands until ``until``: what it is about, and how far it is."""

    id: str
    kind: str
    payload: Any
    done: int
    until: str


def create(writer: Writer, kind: str, payload: Any, steps: tuple[int, int], id: str | None = None) -> Job:
    """Put a job of this kind into the queue; ``payload`` is for who runs it; of so many ``steps`` some are done."""
    id, (done, total) = id or str(uuid7()), steps
    row = {"id": id, "kind": kind, "status": "queued", "done": done, "total": total, "payload": payload, "errors": []}
    stamps = {"created_at": writer.stamp, "updated_at": writer.stamp, "created_by": writer.caller}
    writer.execute(jobs.insert(), row | stamps)
    return load(writer, id)


def load(reader: Reader, id: str) -> Job:
    """The job with this id.

    Raises: NotFound (``job-unknown``).
    """
    row = reader.row(select(jobs).where(jobs.c.id == id.lower()))
    if row is None:
        raise NotFound("job-unknown", "There is no such job.")
    return Job(row["id"], row["kind"], row["status"], row["done"], row["total"], row["errors"], row["result"])


def waiting(reader: Reader, now: str) -> bool:
    """Whether a job is due at ``now``; cheap, so that idle workers take no write lock."""
    return reader.row(select(jobs.c.id).where(_due(now)).limit(1)) is not None


def take(writer: Writer) -> Lease | None:
    """The oldest job that is due, from now on the caller's for ``LEASE_SECONDS``; None where there is none."""
    # One statement: of two workers that look at once, one waits or passes it over, and none gets it twice.
    oldest = select(jobs.c.id).where(_due(writer.stamp)).order_by(jobs.c.created_at, jobs.c.id).limit(1)
    mine = jobs.c.id == oldest.with_for_update(skip_locked=True).scalar_subquery()
    until = _until(writer)
    taken = update(jobs).where(mine).values(status="running", leased_until_at=until, updated_at=writer.stamp)
    row: Row | None = writer.row(taken.returning(jobs.c.id, jobs.c.kind, jobs.c.payload, jobs.c.done))
    return Lease(row["id"], row["kind"], row["payload"], row["done"], until) if row else None


def hold(writer: Writer, lease: Lease) -> Lease | None:
    """The job, kept on for a step, before its work and in its transaction; None where another has it by now."""
    # Until that transaction ends nobody else takes it, however long the step is: the row is locked.
    until = _until(writer)
    return replace(lease, until=until) if _keep(writer, lease, leased_until_at=until) else None


def advance(writer: Writer, lease: Lease, done: int, payload: Any) -> Lease:
    """Record how far the job, which ``hold`` gave, is; the job as it is held on to."""
    _keep(writer, lease, done=done, payload=payload)
    return replace(lease, done=done, payload=payload)


def finish(writer: Writer, lease: Lease, result: Any, errors: Sequence[Any] = ()) -> None:
    """The job is done, with these errors; what came meanwhile counts, too."""
    values = {"result": result, "errors": list(errors), "total": lease.done}
    _keep(writer, lease, status="done", leased_until_at=None, **values)


def give_back(writer: Writer, lease: Lease) -> None:
    """Let another go on with the job at once."""
    _keep(writer, lease, status="queued", leased_until_at=None)


def fail(writer: Writer, lease: Lease, code: str, detail: str, result: Any = None) -> None:
    """The job cannot be carried on; ``result``: what came of it so far."""
    errors = [{"code": code, "detail": detail}]
    _keep(writer, lease, status="failed", errors=errors, result=result, leased_until_at=None)


def _keep(writer: Writer, lease: Lease, **values: Any) -> bool:
    mine = (jobs.c.id == lease.id, jobs.c.leased_until_at == lease.until)
    return writer.execute(update(jobs).where(*mine).values(updated_at=writer.stamp, **values)).rowcount == 1


def _due(now: str) -> ColumnElement[bool]:
    lost = (jobs.c.status == "running") & (jobs.c.leased_until_at < now)
    return or_(jobs.c.status == "queued", lost)


def _until(writer: Writer) -> str:
    return instant(writer.now + timedelta(seconds=LEASE_SECONDS))
