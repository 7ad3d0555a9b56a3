"""The rows of work that outlives its request: kind, state, progress, result.

Nothing is run here; ``app/worker.py`` takes what is due.
"""

from sqlalchemy import Column, Integer, Table

from app.database import Instant, Json, Key, metadata

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
