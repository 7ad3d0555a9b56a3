"""Where the schema of a database stands, and where this version of Kiku needs it to stand.

The tables and the way there are in ``app/schema.py``, with Alembic, which whoever only asks does not need.
"""

from sqlalchemy import inspect, text

from app.database import Database

NEWEST = "0017"
"""The last file of ``migrations/versions``; ``tests/house/test_migrations.py`` holds the two together."""


def is_current(database: Database) -> bool:
    """Whether the database stands at the newest migration.

    Raises: Busy when the database is away.
    """
    return stored(database) == NEWEST


def stored(database: Database) -> str | None:
    """The migration at which the database stands, None where there is none yet.

    Raises: Busy when the database is away.
    """
    with database.reading() as reader:
        present = inspect(reader.connection).has_table("alembic_version")
        row = reader.row(text("SELECT version_num FROM alembic_version")) if present else None
    return row["version_num"] if row else None
