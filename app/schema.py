"""The database's schema: every owner module's tables together, and the migrations that lead there.

The tables are the owner modules' own; each migration is a file in ``migrations/versions``. Whether a database needs
one is asked in ``app/revision.py``: Alembic takes 9 MB, which no serving process should hold.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import select

from app import revision
from app.access import audit, idempotency, keys, secret
from app.articles import collections, preview_links, publishers, site, slugs, sources, tables, tags
from app.database import Database, metadata
from app.delivery import parts, snapshots
from app.search import index
from app.sync import changes, deliveries, events, jobs, uploads, webhooks

__all__ = ["OWNERS", "metadata", "migrate"]

OWNERS = (
    audit,
    idempotency,
    keys,
    secret,
    collections,
    preview_links,
    publishers,
    site,
    slugs,
    sources,
    tables,
    tags,
    parts,
    snapshots,
    index,
    changes,
    jobs,
    events,
    webhooks,
    deliveries,
    uploads,
)
"""The modules that own tables; importing them is what fills ``metadata``."""


def migrate(database: Database, target: str = "head") -> None:
    """Bring the database to the revision ``target``; from nothing, if need be. Lower ones lead down."""
    settings = config()
    with database.engine().connect() as connection:
        settings.attributes["connection"] = connection
        current = revision.stored(database)
        known = [script.revision for script in ScriptDirectory.from_config(settings).walk_revisions()]
        down = target == "base" or (current in known and target in known[known.index(current) :])
        (command.downgrade if down else command.upgrade)(settings, target)
    if target == "head":
        with database.writing() as writer:
            if writer.row(select(snapshots.snapshots.c.article_id).limit(1)) is None:
                index.mark(writer)  # nothing is published, so nothing was read with anything else
    # On SQLite foreign keys were off meanwhile: whoever goes on with this database must not get that connection.
    database.engine().dispose()


def knows(stored: str) -> bool:
    """Whether a migration of this version leads from there to the newest."""
    return any(script.revision == stored for script in ScriptDirectory.from_config(config()).walk_revisions())


def config() -> Config:
    """Alembic's configuration, built in code: no ini file is needed where Kiku is installed."""
    here = Path(__file__).parent
    carried = here / "_migrations"  # in an installed wheel; a checkout has the folder beside app/
    settings = Config()
    settings.set_main_option("script_location", str(carried if carried.is_dir() else here.parent / "migrations"))
    settings.set_main_option("path_separator", "os")
    return settings
