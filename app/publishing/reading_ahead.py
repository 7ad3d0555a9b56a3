"""Read the texts of a bundle for search in other processes, while this one stores the lines before.

What a reading is, and how it is used, is said in ``app/search/index.py``; what a line does in ``incoming.py``.
"""

import json
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import get_context, parent_process
from typing import Any, TypeVar

from app.search import index, tokens
from app.search.index import Reading
from app.search.tokens import DictionaryName

T = TypeVar("T")

WORTH_BYTES = 1_048_576
"""In a shorter bundle the processes would take longer to begin than they save."""
_FOUND_BY = frozenset(
    {
        *("title", "lead", "introduction", "conclusion", "teaser", "heading", "question", "answer", "transition"),
        *("body", "text", "display_title", "publisher_text", "name"),
    }
)
"""The members of a document whose texts are searched; ``index.put`` reads by itself what is forgotten here."""

Portion = tuple[list[bytes], Mapping[str, Reading]]
"""Lines, and the texts in them that are read already."""


@contextmanager
def pool(count: int | None = None) -> Iterator[ProcessPoolExecutor]:
    """So many processes, None: one for each processor, reading with this one's dictionary; they end with the block.

    They begin with nothing of this one's open files, and end by themselves where it is killed.
    """
    count = count or os.cpu_count() or 1
    processes = ProcessPoolExecutor(count, get_context("spawn"), initializer=_begin, initargs=(tokens.used(),))
    try:
        # All at once: one that begins while another is found dead is never told to end, and the block waits for it.
        for _ in range(count):
            _submitted(processes, os.getpid)
        yield processes
    finally:
        processes.shutdown(cancel_futures=True)


def ahead(processes: ProcessPoolExecutor, portions: Iterable[list[bytes]], *, every: bool) -> Iterator[Portion]:
    """The portions in their order, each with its readings; a few are read ahead, some more than there are processors.

    ``every``: also of articles that are not public where they come from.
    """
    waiting: deque[tuple[list[bytes], Future[dict[str, Reading]] | None]] = deque()
    for lines in portions:
        waiting.append((lines, _submitted(processes, partial(read, lines, every=every))))
        if len(waiting) > (os.cpu_count() or 1) + 1:
            yield _done(*waiting.popleft())
    while waiting:
        yield _done(*waiting.popleft())


def read(lines: Iterable[bytes], *, every: bool) -> dict[str, Reading]:
    """The texts of these lines by which articles will be found; a line that is wrong is told when it is stored."""
    found: dict[str, Reading] = {}
    for line in lines:
        with suppress(ValueError, RecursionError):  # UnicodeError, which is one, too: a surrogate alone
            value = json.loads(line)
            if isinstance(value, dict) and value.get("kind") == "article" and (every or value.get("public")):
                for text in _texts([value.get("document"), value.get("public")]):
                    if text and text not in found:
                        found[text] = index.reading_of(text)
    return found


def _begin(dictionary: DictionaryName) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: whoever began them ends them
    threading.Thread(target=_end_with, args=(parent_process(),), daemon=True).start()
    tokens.use(dictionary)


def _end_with(parent: Any) -> None:
    # Processes of a pool wait for work for ever, also when nobody is left to give any.
    parent.join()
    os._exit(1)


# Where one of the processes was killed there are no more readings: each text is read when it is stored.


def _submitted(processes: ProcessPoolExecutor, work: Callable[[], T]) -> Future[T] | None:
    with suppress(BrokenProcessPool, OSError):  # OSError: there may be no more processes
        return processes.submit(work)
    return None


def _done(lines: list[bytes], reading: Future[dict[str, Reading]] | None) -> Portion:
    with suppress(BrokenProcessPool):
        return lines, reading.result() if reading else {}
    return lines, {}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            if name in _FOUND_BY and isinstance(each, str):
                yield each
            elif not isinstance(each, str):
                yield from _texts(each)
