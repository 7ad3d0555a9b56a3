"""Runs migrations over the engine that ``app.schema`` hands in, or over the configured database.

SQLite rebuilds tables in batch mode: foreign keys are off meanwhile and checked at the end.
"""

from alembic import context
from sqlalchemy import Connection

from app.database import Database
from app.schema import metadata
from app.settings import Settings


def _run(connection: Connection) -> None:
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        # Outside any transaction, or SQLite ignores the pragma.
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=sqlite,
        compare_type=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()
        if sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()):
            message = f"the migration breaks {len(broken)} foreign keys"
            raise RuntimeError(message)
    connection.commit()


connection = context.config.attributes.get("connection")
if connection is not None:
    _run(connection)
else:
    database = Database(Settings().database_url)
    with database.engine().connect() as own:
        _run(own)
    database.close()
