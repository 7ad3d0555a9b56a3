"""What a long command is at, told on stderr; its results go to stdout, from ``report.py`` and ``factors.py``."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

_LINE_SECONDS = 15
"""A log gets a line at most this often."""


@contextmanager
def progress() -> Iterator[Callable[[str], object]]:
    """What to call with each step: on a terminal one line that changes, elsewhere a line now and then."""
    console = Console(stderr=True, highlight=False)
    if console.is_terminal:
        with console.status("Starting") as status:
            yield status.update
        return
    told = -float(_LINE_SECONDS)

    def tell(step: str) -> None:
        nonlocal told
        if time.monotonic() - told >= _LINE_SECONDS:
            told = time.monotonic()
            console.print(step, soft_wrap=True)

    yield tell
