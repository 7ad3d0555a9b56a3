"""Query parameters and paths, judged before anything else: what no route can mean is refused once, here.

What a known parameter may be is said by the routes' types; their faults are told by ``problems.py``.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, get_args, get_origin
from urllib.parse import parse_qsl, unquote_to_bytes

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from app.errors import Fault, Malformed, NotFound

PARAMETERS = 1_000
"""The most parameters a query may have."""


class Parameters:
    """A dependency of every route: refuses parameters the route does not know, or that cannot be read."""

    def __init__(self) -> None:
        self._known: dict[Callable[..., Any], dict[str, bool]] = {}

    async def __call__(self, request: Request) -> None:
        """Go on if the path and the query can be read and every parameter is known, each given once.

        Raises: NotFound for a path with NUL in it; Malformed (``parameter-invalid``, ``query-invalid``).
        """
        if "\0" in request.scope["path"]:
            raise NotFound("not-found", "There is nothing at this address.")
        query: bytes = request.scope["query_string"]
        if query:
            self._judge(query, self._of(request.scope["route"]))

    def _of(self, route: APIRoute) -> dict[str, bool]:
        """The names a route knows, and whether each may be given several times."""
        if route.endpoint not in self._known:
            self._known[route.endpoint] = dict(_declared(route.dependant))
        return self._known[route.endpoint]

    @staticmethod
    def _judge(query: bytes, known: dict[str, bool]) -> None:
        if query.count(b"&") >= PARAMETERS:
            raise Malformed("query-invalid", f"A query has at most {PARAMETERS:,} parameters.")
        try:
            unquote_to_bytes(query.replace(b"+", b" ")).decode("utf-8")
            given = parse_qsl(query.decode("ascii"), keep_blank_values=True)
        except UnicodeError:
            raise Malformed("query-invalid", "The query is not percent-encoded UTF-8.") from None
        times = Counter(name for name, _ in given)
        faults = [
            Fault("unknown-parameter", "This address knows no such parameter.", parameter=name)
            for name in times
            if name not in known
        ]
        faults += [
            Fault("repeated-parameter", "This parameter is given once.", parameter=name)
            for name, count in times.items()
            if count > 1 and not known.get(name, True)
        ]
        faults += [
            Fault("text-refused", "NUL is not allowed.", parameter=name) for name, value in given if "\0" in value
        ]
        if faults:
            raise Malformed("parameter-invalid", "A parameter is not as it should be.", tuple(faults))


def _declared(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    for field in dependant.query_params:
        annotation = field.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            for name, member in annotation.model_fields.items():
                yield member.alias or name, _several(member.annotation)
        else:
            yield field.alias, _several(annotation)
    for inner in dependant.dependencies:
        yield from _declared(inner)


def _several(annotation: object) -> bool:
    """Whether a parameter of this type is a list: ``tag=a&tag=b``."""
    lists = {list, tuple, set, frozenset, Sequence}
    return get_origin(annotation) in lists or any(_several(inner) for inner in get_args(annotation))
