"""``kiku import`` and ``kiku export``: files in, a file out.

What comes in and what goes out is decided in ``app/publishing``.
"""

import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, BinaryIO, NamedTuple

import typer
from rich.markup import escape
from rich.progress import Progress, TaskID

from app.articles import drafts, site
from app.cli.door import bar, commands, open_database, say
from app.database import Database
from app.errors import Busy, Conflict, KikuError
from app.formats import bundle, digest_html, markdown_reading
from app.publishing import incoming, outgoing, reading_ahead, transfer
from app.publishing.checks import AS_USUAL
from app.publishing.incoming import Import, Permit, Report
from app.publishing.reading_ahead import Portion
from app.search import index

BUNDLE = ".ndjson"
MARKDOWN = ".md"
SUFFIXES = (".txt", ".html", ".htm", MARKDOWN, BUNDLE)
"""The files of a folder that are imported."""
_PIECE_BYTES = 65_536
_TRIES = 10
_REST_SECONDS = 1
"""How often is tried what other writers keep waiting, and how long is rested between."""


class Wanted(NamedTuple):
    """How files are to be brought in."""

    publish: bool
    atomic: bool
    dry_run: bool


@commands.command("import")
def import_files(
    paths: Annotated[
        list[Path],
        typer.Argument(exists=True, readable=True, help="Digest pages, Markdown, bundles (.ndjson), folders."),
    ],
    publish: Annotated[bool, typer.Option("--publish", help="Publish pages, and articles without `life`.")] = False,
    atomic: Annotated[bool, typer.Option("--atomic", help="Of a bundle every line, or none.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would become of it; store nothing.")] = False,
) -> None:
    """Bring in digest pages (text or HTML) and Markdown (.md), a transaction each, and bundles, some lines in each.

    An import that was interrupted is simply run again: what is equal changes nothing. But an article of a bundle that
    was changed or withdrawn here since is brought back to what the bundle says. Exit code 1 when a file or a line was
    refused.
    """
    wanted = Wanted(publish, atomic, dry_run)
    files = [file for path in paths for file in _files(path)]
    refused = 0
    with open_database() as database, bar() as progress:
        for file in progress.track(files, description="Importing"):
            try:
                if file.suffix.lower() == BUNDLE:
                    report = _import_bundle(database, file, wanted, progress)
                    refused += report.failed > 0
                    told = [f"{each.line}{each.pointer and ' '}{each.pointer}: {each.detail}" for each in report.errors]
                    _tell(progress, [f"{file}:{each}" for each in told])
                    typer.echo(f"{file}: {_counted(report)}")
                else:
                    bring = _import_markdown if file.suffix.lower() == MARKDOWN else _import_page
                    typer.echo(f"{file}: {bring(database, file, wanted)}")
            except KikuError as error:
                refused += 1
                reasons = [f"  {fault.pointer or ''} {fault.detail}".rstrip() for fault in error.faults]
                _tell(progress, [f"{file}: refused: {error.detail}", *reasons])
    if refused:
        say(f"{refused} of {len(files)} refused." if len(files) > 1 or not atomic else "Refused.")
        raise typer.Exit(1)


@commands.command("export")
def export(
    target: Annotated[str, typer.Argument(metavar="[FILE|-]", help="Where to; - is standard output.")] = "-",
    revisions: Annotated[bool, typer.Option("--revisions", help="With all that was ever saved.")] = False,
) -> None:
    """Write all there is as a bundle: site, ledger, articles, what readers see of them, collections.

    It is one moment of the database, however long it takes. Keys, the audit, jobs, webhooks and preview links stay.
    """
    with open_database() as database, database.reading() as reader, bar() as progress, _opened(target) as file:
        task = progress.add_task("Exporting", total=outgoing.count(reader))
        for line in outgoing.lines(reader, with_revisions=revisions):
            file.write(line)
            progress.advance(task, line.startswith(outgoing.ARTICLE))


@contextmanager
def _opened(target: str) -> Iterator[BinaryIO]:
    """Standard output, or a file that is there when it is whole."""
    if target == "-":
        yield sys.stdout.buffer
        return
    path = Path(target)
    partial_path = path.with_name(f"{path.name}.part")
    with partial_path.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    partial_path.replace(path)


def _import_page(database: Database, file: Path, wanted: Wanted) -> str:
    read = digest_html.text_of if file.suffix.lower() in {".html", ".htm"} else digest_html.decoded
    with database.reading() as reader:
        labels = site.load(reader).document.labels
    incoming = transfer.read(read(file.read_bytes(), None), labels)
    with database.writing(dry_run=wanted.dry_run) as writer:
        item = transfer.import_page(writer, incoming, publish=AS_USUAL if wanted.publish else None)
    done = "imported" if item["created"] else "known already"
    warnings = f", {len(item['warnings'])} warnings" if item["warnings"] else ""
    return f"{done}: {item['slug']} ({item['article_id']}{warnings})"


def _import_markdown(database: Database, file: Path, wanted: Wanted) -> str:
    document = markdown_reading.read(digest_html.decoded(file.read_bytes(), None))
    with database.writing(dry_run=wanted.dry_run) as writer:
        outcome, article_id = incoming.bring_document(writer, document, AS_USUAL if wanted.publish else None)
        slug = drafts.load(writer, article_id).document.slug
    return f"{outcome}: {slug} ({article_id})"


def _import_bundle(database: Database, file: Path, wanted: Wanted, progress: Progress) -> Report:
    """What became of the lines of a file. Raises: Invalid (``import-failed``, ``bundle-header``); Busy."""
    work = Import(Permit(admin=True, publish=AS_USUAL if wanted.publish else None))
    size = file.stat().st_size
    task = progress.add_task(escape(file.name), total=size)
    with file.open("rb") as content, ExitStack() as stack:
        lines = _watched(bundle.split(iter(partial(content.read, _PIECE_BYTES), b"")), progress, task)
        read: Iterable[Portion] = ((some, {}) for some in bundle.portions(lines))
        if size > reading_ahead.WORTH_BYTES:
            processes = stack.enter_context(reading_ahead.pool())
            read = reading_ahead.ahead(processes, bundle.portions(lines), every=wanted.publish)
        if wanted.atomic or wanted.dry_run:
            writer = stack.enter_context(database.writing(dry_run=wanted.dry_run))
            for some, texts in read:
                with index.read_ahead(texts):
                    work.bring(writer, some)
            if wanted.atomic:
                work.demand()
        else:
            for some, texts in read:
                with index.read_ahead(texts):
                    _bring(database, work, some)
    progress.remove_task(task)
    return work.report


def _bring(database: Database, work: Import, lines: list[bytes]) -> None:
    """Bring some lines in, each whole or not at all, waiting for other writers if need be. Raises: Busy; Conflict."""
    before = work.report
    for left in reversed(range(_TRIES)):
        work.report = before.model_copy(deep=True)
        try:
            with database.writing() as writer:
                work.bring(writer, lines)
        except (Busy, Conflict):
            if not left:
                raise
            time.sleep(_REST_SECONDS)
        else:
            return


def _watched(lines: Iterable[bytes], progress: Progress, task: TaskID) -> Iterator[bytes]:
    for line in lines:
        progress.advance(task, len(line))
        yield line


def _counted(report: Report) -> str:
    counts = {name: getattr(report, name) for name in ("created", "updated", "unchanged", "failed")}
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def _tell(progress: Progress, lines: Iterable[str]) -> None:
    for line in lines:
        progress.console.print(escape(line), soft_wrap=True, highlight=False)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file() and file.suffix.lower() in SUFFIXES)
