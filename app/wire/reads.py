"""Routes of what readers see: one trip to a thread, where nothing but path and query decides (ADR 0019).

What is not that plain is FastAPI's to solve, and to refuse.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from app.settings import Settings
from app.wire import caller, sessions
from app.wire.sessions import Opening

Answer = Callable[[Request], Coroutine[Any, Any, Response]]


class Read(APIRoute):
    """A route that answers with a Response of its own from a Reader, to anybody."""

    def get_route_handler(self) -> Answer:
        """What answers a request: as FastAPI does, and in a fraction of its time where the request is plain."""
        solved = super().get_route_handler()
        signature = _Signature.read(self.dependant)
        if signature is None:
            return solved

        async def answer(request: Request) -> Response:
            values = signature.values(request)
            if values is None:
                return await solved(request)
            return await signature.opening.run(
                request, lambda reader: self.endpoint(**values, **{signature.reader: reader})
            )

        return answer


@dataclass(frozen=True)
class _Signature:
    """What an endpoint asks for: the request, parts of its path, a model of its query, a Reader and nothing else."""

    caller: str
    reader: str
    opening: Opening
    request: str | None
    query: tuple[str, type[BaseModel]] | None
    known: frozenset[str]
    """The parameters of the query."""

    @classmethod
    def read(cls, of: Dependant) -> "_Signature | None":
        """What this endpoint asks for; None where that is anything else."""
        callers = [each.name for each in of.dependencies if each.call is caller.public]
        openings = [(each.name, each.call) for each in of.dependencies if isinstance(each.call, Opening)]
        queries = [(each.name, each.field_info.annotation) for each in of.query_params]
        models = [(name, model) for name, model in queries if isinstance(model, type) and issubclass(model, BaseModel)]
        sent = [*of.header_params, *of.cookie_params, *of.body_params]
        plain = all(each.field_info.annotation is str and not each.field_info.metadata for each in of.path_params)
        if len(callers) != 1 or len(openings) != 1 or len(of.dependencies) != 2:  # noqa: PLR2004 - these two
            return None
        if sent or not plain or len(models) < len(queries) or len(models) > 1:
            return None
        ((reader, opening),) = openings
        known = frozenset(member.alias or name for _, model in models for name, member in model.model_fields.items())
        query = models[0] if models else None
        return cls(str(callers[0]), str(reader), opening, of.request_param_name, query, known)

    def values(self, request: Request) -> dict[str, Any] | None:
        """What the endpoint is called with, but for its Reader; None where more than path and query has a say."""
        settings: Settings = request.app.state.settings
        if settings.read_keys == "required" or sessions.MINIMUM in request.headers or "\0" in request.scope["path"]:
            return None
        values = {self.caller: None, **request.path_params}
        if self.request is not None:
            values[self.request] = request
        try:
            # Each value once, as UTF-8: how other queries are told of their faults is in ``parameters.py``.
            given = parse_qsl(request.scope["query_string"].decode("ascii"), keep_blank_values=True, errors="strict")
            asked = dict(given)
            if len(asked) < len(given) or asked.keys() - self.known or any("\0" in each for each in asked.values()):
                return None
            if self.query is not None:
                name, model = self.query
                values[name] = model.model_validate(asked)
        except ValueError:  # a ValidationError is one
            return None
        return values
