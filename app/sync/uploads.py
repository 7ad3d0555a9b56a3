"""Bodies that a job will read: kept in pieces until it has, so that no process ever holds a whole one.

What a job does with its upload is said in the room of its kind; the rows of jobs are in ``jobs.py``.
"""

from collections.abc import Iterator

from sqlalchemy import Column, Integer, Table, bindparam, delete, select

from app.database import Bytes, Instant, Key, Reader, Writer, metadata
from app.sync.jobs import jobs

PIECE_BYTES = 1_048_576
"""How large each piece is, but the last: where a byte stands is a matter of division."""
KEPT_HOURS = 24
"""How long a piece is kept that no job will read any more: of a request that was killed, or a job that failed."""

# An upload has the id of its job, which may never come to be.
uploads = Table(
    "uploads",
    metadata,
    Column("job_id", Key, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("created_at", Instant, nullable=False),
    Column("content", Bytes, nullable=False),
)

_ALIVE = select(jobs.c.id).where(jobs.c.id == uploads.c.job_id, jobs.c.status.in_(("queued", "running"))).exists()
_LEFT = (uploads.c.created_at <= bindparam("before"), ~_ALIVE)
_UNREAD = select(uploads.c.job_id).where(uploads.c.job_id == bindparam("job"), ~_ALIVE).limit(1)
_ANY_LEFT = select(uploads.c.job_id).where(*_LEFT).limit(1)
_PIECE = select(uploads.c.content).where(uploads.c.job_id == bindparam("job"), uploads.c.number == bindparam("piece"))


def put(writer: Writer, job_id: str, number: int, content: bytes) -> None:
    """Keep the piece ``number``, from 0, of the body for this job."""
    row = {"job_id": job_id, "number": number, "created_at": writer.stamp, "content": content}
    writer.execute(uploads.insert(), row)


def read(reader: Reader, job_id: str, offset_bytes: int) -> Iterator[bytes]:
    """The body from this byte on, piece by piece."""
    number, inside = divmod(offset_bytes, PIECE_BYTES)
    while (row := reader.row(_PIECE, {"job": job_id, "piece": number})) is not None:
        yield row["content"][inside:]
        number, inside = number + 1, 0


def drop(writer: Writer, job_id: str) -> None:
    """Forget the body of a job that has read it."""
    writer.execute(delete(uploads).where(uploads.c.job_id == job_id))


def is_unread(reader: Reader, job_id: str) -> bool:
    """Whether there is something of a body that no job will read."""
    return reader.row(_UNREAD, {"job": job_id}) is not None


def any_left(reader: Reader, before: str) -> bool:
    """Whether there is something to purge; cheap, so that idle workers take no write lock."""
    return reader.row(_ANY_LEFT, {"before": before}) is not None


def purge(writer: Writer, before: str) -> None:
    """Remove the pieces up to that instant that no job will read."""
    writer.execute(delete(uploads).where(*_LEFT), {"before": before})
