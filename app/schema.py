"""The database's schema: every owner module's tables together, and the migrations that lead there.

The tables are the owner modules' own; each migration is a file in ``migrations/versions``.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from app.access import audit, idempotency, keys
from app.articles import publishers, site, slugs, sources, tables
from app.database import Database, metadata
from app.delivery import parts, snapshots
from app.sync import changes, jobs

__all__ = ["OWNERS", "is_current", "metadata", "migrate"]

OWNERS = (audit, idempotency, keys, publishers, site, slugs, sources, tables, parts, snapshots, changes, jobs)
"""The modules that own tables; importing them is what fills ``metadata``."""


def migrate(database: Database, revision: str = "head") -> None:
    """Bring the database to ``revision``; from nothing, if need be. Lower revisions lead down."""
    settings = config()
    with database.engine().connect() as connection:
        settings.attributes["connection"] = connection
        current = _stored(database)
        known = [script.revision for script in ScriptDirectory.from_config(settings).walk_revisions()]
        down = revision == "base" or (current in known and revision in known[known.index(current) :])
        (command.downgrade if down else command.upgrade)(settings, revision)


def is_current(database: Database) -> bool:
    """Whether the database stands at the newest migration.

    Raises: Busy when the database is away.
    """
    return _stored(database) == ScriptDirectory.from_config(config()).get_current_head()


def _stored(database: Database) -> str | None:
    with database.reading() as reader:
        present = inspect(reader.connection).has_table("alembic_version")
        row = reader.row(text("SELECT version_num FROM alembic_version")) if present else None
    return row["version_num"] if row else None


def config() -> Config:
    """Alembic's configuration, built in code: no ini file is needed where Kiku is installed."""
    here = Path(__file__).parent
    carried = here / "_migrations"  # in an installed wheel; a checkout has the folder beside app/
    settings = Config()
    settings.set_main_option("script_location", str(carried if carried.is_dir() else here.parent / "migrations"))
    settings.set_main_option("path_separator", "os")
    return settings
