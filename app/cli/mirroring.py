"""``kiku mirror``: keep a copy of what another Kiku has published.

The mirror itself is ``app/mirror.py``, for integrators to read.
"""

from pathlib import Path
from typing import Annotated

import typer

from app import mirror
from app.cli.door import bar, commands, fail, say


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
        with bar() as progress:
            task = progress.add_task("Mirroring", total=None)
            feed = mirror.Feed(url, key, filters)
            right = mirror.run(feed, target, lambda changes: progress.advance(task, changes))
    except mirror.MirrorError as error:
        fail(str(error))
    if not right:
        say("kiku: The copy is not what the server has.")
        raise typer.Exit(1)
    say("The copy is what the server has.")
