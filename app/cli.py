"""The door for operators: ``kiku serve``, ``work``, ``migrate``, ``rebuild``, ``keys`` and ``import``.

Results go to standard output, everything else to standard error. What is done is done in the rooms below;
the server that ``kiku serve`` becomes is ``app/server.py``.
"""

import ipaddress
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from sqlalchemy.exc import SQLAlchemyError

from app import mirror, revision, schema, worker
from app.access import keys
from app.access.keys import Grant
from app.access.scopes import SCOPES, Scope
from app.articles import site
from app.database import Database, system_clock
from app.delivery import snapshots
from app.errors import KikuError
from app.formats import digest_html
from app.publishing import publish as publishing
from app.publishing import transfer
from app.publishing.checks import AS_USUAL
from app.search import index, tokens
from app.settings import Settings
from app.sync.sender import Sender
from app.text import instant
from app.worker import Kept

SUFFIXES = (".txt", ".html", ".htm")
"""The files of a folder that are imported."""
REBUILT_TOGETHER = 20
"""How many articles are read anew in one transaction: publications wait for it."""

commands = typer.Typer(
    name="kiku",
    help="Kiku: a headless JSON API for digest articles. Configured by KIKU_* variables or a .env file.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
key_commands = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)
commands.add_typer(key_commands, name="keys")


def main(arguments: list[str] | None = None) -> None:
    """Run a command; what an operator can put right is told in one line, exit code 2."""
    try:
        commands(arguments, prog_name="kiku")
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        _fail("; ".join(f"KIKU_{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}" for fault in faults))
    except KikuError as error:
        _fail(error.detail)
    except SQLAlchemyError as error:
        _fail(f"The database cannot be used: {str(error).splitlines()[0]}")


@commands.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="How many processes answer requests.")] = 1,
) -> None:
    """Serve the API. The database must be migrated first."""
    with _database() as database:  # the server opens its own; here it is only looked whether it can
        _demand_index(database)
    if _private(host):
        os.environ.setdefault("KIKU_PRIVATE_BIND", "true")
    # glibc: one heap for all threads. Each of its own keeps what it freed: 3 to 8 MB with 40 clients, no CPU saved.
    os.environ.setdefault("MALLOC_ARENA_MAX", "1")
    # In an interpreter of its own: Typer, Rich and Alembic, which only the command line needs, are 13 MB of a process.
    command = [sys.executable, "-P", "-m", "app.server", host, str(port), str(workers)]  # -P: no app/ of where we are
    os.execv(sys.executable, command)  # noqa: S606 - its arguments were checked above


@commands.command()
def work() -> None:
    """Run what is due until told to stop (SIGTERM, Ctrl-C); the step at hand is finished first.

    Each serving process does the same beside its requests: this is for a process that does nothing else.
    """
    ending, settings = {signal.SIGTERM, signal.SIGINT}, Settings()
    with _database() as database:
        _demand_index(database)
        signal.pthread_sigmask(signal.SIG_BLOCK, ending)  # before there is a thread that could get them instead
        sender = Sender(settings.webhook_allowed_hosts)
        with worker.beside(database, Kept(settings.trash_days, settings.tombstone_days), sender):
            signal.sigwait(ending)


@commands.command()
def migrate() -> None:
    """Bring the database up to this version; a new one is made. Repeating it changes nothing."""
    settings = _settings()
    database = Database(settings.database_url)
    try:
        if _present(database) and revision.is_current(database):
            _say("The database was up to date.")
            return
        with _console().status("Migrating the database"):
            schema.migrate(database)
        _say("The database is up to date.")
    finally:
        database.close()


@commands.command()
def rebuild() -> None:
    """Make the search index anew; readers go on searching.

    Needed where articles were published before there was search, and when the dictionary, the synonyms or the rules
    by which texts are read change: serving then begins only afterwards.
    """
    with _database() as database, Progress(console=_console(), transient=True) as progress:
        with database.reading() as reader:
            task = progress.add_task("Rebuilding the index", total=snapshots.count(reader))
        last: str | None = None
        while True:
            with database.writing() as writer:
                last = publishing.reindex(writer, last, REBUILT_TOGETHER)
            progress.advance(task, REBUILT_TOGETHER)
            if last is None:
                break
        while worker.count_words(database):
            pass
    _say("The search index is up to date.")


@key_commands.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="What the key is for, or whose it is.")],
    scope: Annotated[list[str], typer.Option(help=f"What it may do: {', '.join(SCOPES)}. Repeat it for several.")],
    expires_in_days: Annotated[int | None, typer.Option(min=1, max=36_500, help="Never, if left out.")] = None,
) -> None:
    """Make an API key and print it, alone, on standard output. It is never shown again."""
    expires_at = None if expires_in_days is None else instant(system_clock() + timedelta(days=expires_in_days))
    with _database() as database, database.writing() as writer:
        key_id, presented = keys.create(writer, Grant(name, _scopes(scope), expires_at))
    _say(f"Key {key_id} is made. This is the only time it is shown:")
    typer.echo(presented)


@key_commands.command("list")
def list_keys() -> None:
    """List the keys, the oldest first: id, state, scopes, expiry, name."""
    now = system_clock()
    with _database() as database, database.reading() as reader:
        for key in keys.list(reader):
            state = "revoked" if key.revoked_at else "active" if key.active(now) else "expired"
            grant = key.grant
            typer.echo("\t".join([key.id, state, ",".join(grant.scopes), grant.expires_at or "never", grant.name]))


@key_commands.command("revoke")
def revoke_key(id: Annotated[str, typer.Argument(help="The id of the key, as `kiku keys list` shows it.")]) -> None:
    """Revoke a key: from now on it opens nothing."""
    with _database() as database, database.writing() as writer:
        keys.revoke(writer, id)
    _say(f"Key {id} is revoked.")


@commands.command("import")
def import_pages(
    paths: Annotated[list[Path], typer.Argument(exists=True, readable=True, help="Digest pages, or folders of them.")],
    publish: Annotated[bool, typer.Option("--publish", help="Publish each page at once.")] = False,
) -> None:
    """Turn digest pages (text or HTML) into articles, each file in a transaction of its own.

    A page that is known already stays as it is. Exit code 1 when a file was refused.
    """
    files = [file for path in paths for file in _files(path)]
    refused = 0
    with _database() as database, Progress(console=_console(), transient=True) as progress:
        for file in progress.track(files, description="Importing"):
            try:
                item = _import(database, file, publish=publish)
            except KikuError as error:
                refused += 1
                reasons = [f"  {fault.pointer or ''} {fault.detail}".rstrip() for fault in error.faults]
                told = escape("\n".join([f"{file}: refused: {error.detail}", *reasons]))
                progress.console.print(told, soft_wrap=True, highlight=False)
            else:
                done = "imported" if item["created"] else "known already"
                warnings = f", {len(item['warnings'])} warnings" if item["warnings"] else ""
                typer.echo(f"{file}: {done}: {item['slug']} ({item['article_id']}{warnings})")
    if refused:
        _say(f"{refused} of {len(files)} refused.")
        raise typer.Exit(1)


@commands.command("mirror")
def keep_mirror(
    url: Annotated[str, typer.Argument(help="Where the Kiku is: https://kiku.example.jp")],
    target: Annotated[Path, typer.Argument(help="A folder of JSON files, or an SQLite file (.db, .sqlite).")],
    key: Annotated[str, typer.Option(envvar="KIKU_MIRROR_KEY", help="A key of it with scope sync.")],
    *,
    language: Annotated[str | None, typer.Option(help="Only articles in this language.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only articles that bear this tag.")] = None,
    publisher: Annotated[str | None, typer.Option(help="Only articles that cite this publisher, by its id.")] = None,
) -> None:
    """Bring a copy of what is published up to date, and prove it right. It goes on where it was, also after a kill.

    Exit code 1 when the copy is not what the server has, 2 when the server cannot be read.
    """
    named = {"language": language, "tag": tag, "publisher": publisher}
    filters = {name: value for name, value in named.items() if value is not None}
    try:
        with Progress(console=_console(), transient=True) as progress:
            task = progress.add_task("Mirroring", total=None)
            feed = mirror.Feed(url, key, filters)
            right = mirror.run(feed, target, lambda changes: progress.advance(task, changes))
    except mirror.MirrorError as error:
        _fail(str(error))
    if not right:
        _say("kiku: The copy is not what the server has.")
        raise typer.Exit(1)
    _say("The copy is what the server has.")


def _import(database: Database, file: Path, *, publish: bool) -> dict[str, Any]:
    read = digest_html.text_of if file.suffix.lower() in {".html", ".htm"} else digest_html.decoded
    with database.reading() as reader:
        labels = site.load(reader).document.labels
    incoming = transfer.read(read(file.read_bytes(), None), labels)
    with database.writing() as writer:
        return transfer.import_page(writer, incoming, publish=AS_USUAL if publish else None)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file() and file.suffix.lower() in SUFFIXES)


def _settings() -> Settings:
    """The settings; texts are read with their dictionary from now on."""
    settings = Settings()
    if not tokens.installed(settings.dictionary):
        _fail(f"KIKU_DICTIONARY: install it first, `pip install 'kiku[{settings.dictionary}]'`.")
    tokens.use(settings.dictionary)
    return settings


@contextmanager
def _database() -> Iterator[Database]:
    """The configured database, found and at this version."""
    settings = _settings()
    database = Database(settings.database_url)
    try:
        if not _present(database) or not revision.is_current(database):
            _fail("The database is not at this version: run `kiku migrate`.")
        yield database
    finally:
        database.close()


def _demand_index(database: Database) -> None:
    with database.reading() as reader:
        if not index.fits(reader):
            _fail("The search index was not made with this dictionary and these rules: run `kiku rebuild`.")


def _present(database: Database) -> bool:
    """Whether there is something to look into: SQLite would make an empty file merely by looking."""
    url = database.engine().url
    return url.get_backend_name() != "sqlite" or Path(url.database or "").is_file()


def _scopes(given: list[str]) -> tuple[Scope, ...]:
    return tuple(scope for scope in SCOPES if scope in given) if set(given) <= set(SCOPES) else ()


def _private(host: str) -> bool:
    """Whether only this machine or its private network can reach ``host``."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    # 0.0.0.0 and :: are every address, though ipaddress calls them private.
    return address.is_private and not address.is_unspecified


def _console() -> Console:
    return Console(stderr=True)


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _fail(line: str) -> NoReturn:
    _say(f"kiku: {line}")
    sys.exit(2)
