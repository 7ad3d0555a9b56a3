"""Lists in pages: cursors bound to their list, projections, counts, and the link to the next page.

Which rows stand behind a cursor is decided by the rooms that own them; filters are typed in the routes.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal
from urllib.parse import quote, unquote

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json
from starlette.responses import Response
from starlette.types import Scope

from app.errors import Fault, Malformed

LIMIT = 20
"""How many items a page holds where nobody says."""
COUNT_CAP = 1_000
"""Where ``count=capped`` stops counting."""

Value = str | int | float
Position = Value | tuple[Value, ...]
"""Where an item stands in its list: its sort values, or the one there is."""
_DIGEST_BYTES = 8
_FIELD = r"[a-z_][A-Za-z0-9_-]*"


class PageQuery(BaseModel):
    """The parameters of whatever is answered in pages."""

    model_config = ConfigDict(extra="forbid")

    cursor: Annotated[str | None, Field(max_length=4_000, description="`next` of the page before.")] = None
    limit: Annotated[int, Field(ge=1, le=100, description="How many items a page holds.")] = LIMIT
    fields: Annotated[
        str | None,
        Field(
            max_length=2_000,
            pattern=rf"^{_FIELD}(\.{_FIELD})*(,{_FIELD}(\.{_FIELD})*)*$",
            description="Only these members, by comma; a dot leads into a member: `id,title,publishers.name`.",
        ),
    ] = None


class ListQuery(PageQuery):
    """The parameters of every list; a route adds its typed filters in a subclass."""

    count: Annotated[
        Literal["exact", "capped"] | None, Field(description=f"Also count; `capped` stops at {COUNT_CAP:,}.")
    ] = None


@dataclass(frozen=True)
class Count:
    """How many items the whole list holds: exactly, or at least."""

    value: int
    relation: Literal["eq", "gte"]


def bound_to(name: str, *filters: object) -> str:
    """What a cursor is bound to: the list's name, its filters and its sort."""
    return json.dumps([name, *filters], ensure_ascii=False, separators=(",", ":"), default=str)


def cursor(position: Sequence[Value], bound: str) -> str:
    """The opaque text for the position after which the next page begins."""
    content = to_json(position)
    return base64.urlsafe_b64encode(_digest(content, bound) + content).decode().rstrip("=")


def position(cursor: str | None, bound: str, kinds: tuple[type[Any], ...]) -> tuple[Any, ...] | None:
    """The position a cursor stands for, its values of these ``kinds``; None where there is no cursor.

    Raises: Malformed (``cursor-invalid``) for a cursor that is broken, changed, or of another list.
    """
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        digest, content = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
        values = json.loads(content.decode()) if digest == _digest(content, bound) else []
    except (binascii.Error, ValueError, RecursionError):
        values = []
    # The digest finds mistakes, not forgers, who may make a cursor for any position they could reach anyway:
    # but nothing a database cannot compare may get through.
    sound = isinstance(values, list) and [type(value) for value in values] == list(kinds)
    if not sound or not all(_comparable(value) for value in values):
        detail = "The cursor was not given by this list with these filters and this sort; begin without one."
        raise Malformed("cursor-invalid", detail, (Fault("cursor-invalid", detail, parameter="cursor"),))
    return tuple(values)


def counted(wanted: Literal["exact", "capped"] | None, count: Callable[[int | None], int | Count]) -> Count | None:
    """The count a client asked for; ``count`` counts up to one beyond the cap it is given, None = all.

    What cannot be counted to its end answers with a Count of its own.
    """
    if wanted is None:
        return None
    cap = COUNT_CAP if wanted == "capped" else None
    value = count(cap)
    if isinstance(value, Count):
        return value
    if cap is None:
        return Count(value, "eq")
    return Count(min(value, cap), "gte" if value > cap else "eq")


def project(item: object, fields: str | None) -> object:
    """``item`` with only the members that ``fields`` names, in the item's own order; None = all of it.

    A dot leads into an object, or into each object of an array; null stays null.
    Raises: Malformed (``field-unknown``).
    """
    return item if fields is None else _pick(item, [path.split(".") for path in fields.split(",")])


def page(  # noqa: PLR0913 - what a page consists of
    scope: Scope,
    found: Sequence[tuple[Position, bytes]],
    bound: str,
    *,
    limit: int,
    fields: str | None = None,
    counted: Count | None = None,
    beside: Mapping[str, Any] | None = None,
) -> tuple[bytes, dict[str, str]]:
    """The body of one page and its ``Link`` header; ``beside``: what stands in it between the items and ``next``.

    ``found``: up to ``limit`` + 1 items as JSON bytes, each with its position (a tuple, or one value);
    one more than ``limit`` says that there is a next page.
    """
    following = None
    if len(found) > limit:
        last = found[limit - 1][0]
        following = cursor(last if isinstance(last, tuple) else (last,), bound)
    items = [body if fields is None else _projected(body, fields) for _, body in found[:limit]]
    tail = {**(beside or {}), "next": following} | ({} if counted is None else {"count": asdict(counted)})
    body = b'{"items":[' + b",".join(items) + b"]," + to_json(tail)[1:]
    return body, {} if following is None else {"Link": _link(scope, following)}


def answer(
    request: Request,
    query: ListQuery,
    found: Sequence[tuple[Position, bytes]],
    bound: str,
    counted: Count | None = None,
) -> Response:
    """One page for editors: never stored. A list for readers goes through ``page`` and ``conditional.answer``."""
    body, headers = page(request.scope, found, bound, limit=query.limit, fields=query.fields, counted=counted)
    return Response(body, 200, {"Cache-Control": "no-store", **headers}, "application/json")


def _comparable(value: object) -> bool:
    """Whether both databases can compare a column with ``value``."""
    if isinstance(value, str):  # not isprintable(): a name may have a full-width space in it
        return "\0" not in value and (value.isascii() or not any("\ud800" <= each <= "\udfff" for each in value))
    return isinstance(value, int) and 0 <= value < 2**31


def _digest(content: bytes, bound: str) -> bytes:
    return hashlib.sha256(bound.encode("utf-8", "backslashreplace") + b"\0" + content).digest()[:_DIGEST_BYTES]


def _projected(body: bytes, fields: str) -> bytes:
    return to_json(project(json.loads(body), fields))


def _pick(item: object, paths: list[list[str]]) -> object:
    if isinstance(item, list):
        return [_pick(each, paths) for each in item]
    if item is None or any(not path for path in paths):
        return item
    names = {path[0] for path in paths}
    if not isinstance(item, dict) or not names <= item.keys():
        detail = "An item of this list has no such member."
        raise Malformed("field-unknown", detail, (Fault("field-unknown", detail, parameter="fields"),))
    return {
        name: _pick(value, [path[1:] for path in paths if path[0] == name])
        for name, value in item.items()
        if name in names
    }


def _link(scope: Scope, following: str) -> str:
    given = scope["query_string"].decode("latin-1").split("&")
    kept = [part for part in given if part and unquote(part.partition("=")[0]) != "cursor"]
    query = quote("&".join([*kept, f"cursor={following}"]), safe="=&+%")
    # Relative to the request (RFC 8288 3.2): right behind any proxy, whatever Host was sent.
    return f'<{quote(scope["path"])}?{query}>; rel="next"'
