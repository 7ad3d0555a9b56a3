"""A list as readers get it: one page behind a cursor, its count, its ETag, and 304 before anything is read.

Cursors, projections and counts themselves are in ``paging.py``, what editors list too.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import Request
from starlette.responses import Response
from starlette.types import Scope

from app.wire import answers, conditional, paging

Find = Callable[[Any, int], Sequence[tuple[paging.Position, bytes]]]
"""Items behind a position (a tuple; None: from the start), at most so many, each with its own position."""
Count = Callable[[int | None], int | paging.Count]
"""How many items the whole list holds, counted up to one beyond the cap given."""


def answer(  # noqa: PLR0913 - what a list consists of
    request: Request,
    query: paging.ListQuery,
    *,
    bound: str,
    kinds: tuple[type[Any], ...],
    find: Find,
    count: Count,
    state: object | None,
    surrogate_keys: str,
    cache_control: str = conditional.CACHE_CONTROL,
    head: Mapping[str, Any] | None = None,
) -> Response:
    """The page that ``query`` asks for, or 304.

    ``bound`` and ``kinds``: what a cursor belongs to and holds. ``state``: the feed's, where the list changes
    only together with it: its ETag then needs no body. None: the ETag is that of the bytes.
    ``head``: what is said of the list itself, before its items.
    Raises: Malformed (``cursor-invalid``, ``field-unknown``).
    """
    after = paging.position(query.cursor, bound, kinds)

    def build() -> tuple[bytes, dict[str, str]]:
        found = find(after, query.limit + 1)
        counted = paging.counted(query.count, count)
        page = paging.page(request.scope, found, bound, limit=query.limit, fields=query.fields, counted=counted)
        return page if head is None else (answers.encode(head)[:-1] + b"," + page[0][1:], page[1])

    tag = None if state is None else etag(request.scope, state)
    return conditional.lazy(request, tag, build, cache_control=cache_control, surrogate_keys=surrogate_keys)


def etag(scope: Scope, state: object) -> str:
    """The ETag of the list at this address while the feed's ``state`` stands."""
    content = f"{state} {scope['path']}?".encode() + scope["query_string"]
    return conditional.digest(content)
