"""The OpenAPI document: what FastAPI knows of the routes, put right once.

What a single operation says stands with its route; the bodies come by ``bodies.openapi_body``.
"""

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from app.settings import Settings
from app.wire import idempotency
from app.wire.caller import READING
from app.wire.problems import MEDIA_TYPE

_REF = "#/components/schemas/"
_PROBLEM: dict[str, Any] = {
    "title": "Problem",
    "description": "What went wrong (RFC 9457): branch on `code`, show `detail`.",
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "request_id", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "examples": ["/problems/draft-stale"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "examples": ["draft-stale"]},
        "detail": {"type": "string"},
        "request_id": {"type": ["string", "null"]},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "RFC 6901, into the body."},
                    "parameter": {"type": "string", "description": "A query parameter, path parameter or header."},
                    "code": {"type": "string"},
                    "severity": {"enum": ["error", "warning"]},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
_ID = "01a20952-730d-73de-8611-1d33b4d4b762"
_EXAMPLES: dict[str, str | int] = {
    "key": "菊まつりの歩き方",
    "key_id": "5f2c8e0a91d3",
    "delivery_id": _ID,
    "id": _ID,
    "slug": "菊",
    "number": "1",
    "tag": "菊",
    "q": "菊まつり",
    "language": "ja",
    "article": _ID,
    "source": _ID,
    "publisher": _ID,
    "url": "https://news.example.jp/菊/2024",
    "published_after": "2024-10-01T00:00:00Z",
    "published_before": "2024-11-01T00:00:00Z",
    "updated_after": "2024-10-01T00:00:00Z",
    "fields": "id,title",
    "limit": 20,
    "into": "菊まつりの歩き方",
    "token": "AaIJUnMNc96GER0z1NS3YkWDmQ7tqLVbXn2fE5hZ8pRw0cUuJ4iMoG6yTsKvB1xA",
    "If-Match": '"3"',
}
"""What the parameters of any operation may look like; a route's own example goes before it."""
_SHAPES: dict[str, dict[str, str]] = {
    "If-Match": {"type": "string", "pattern": r'^(\*|(W/)?"[\x21\x23-\x7e]*"(, (W/)?"[\x21\x23-\x7e]*")*)$'},
    "If-None-Match": {"type": "string", "const": "*"},
}
"""What the preconditions of writes look like: they are read by hand, so FastAPI knows them as any text."""
_SECRET = frozenset(
    {
        "/v1/manage/keys",
        "/v1/manage/keys/{key_id}/rotate",
        "/v1/manage/webhooks",
        "/v1/manage/webhooks/{id}/rotate",
    }
)
"""What answers a secret, and so keeps no answer for an ``Idempotency-Key``."""
_CHANGING = frozenset({"post", "put", "patch", "delete"})
_NAMING = frozenset({"into", "url"})
"""Query parameters that name one thing, as a path does: it may not be there."""


def operation_id(route: APIRoute) -> str:
    """A route's operationId: its function's name."""
    return route.name


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of ``app``, made at the first call."""
    if app.openapi_schema is None:
        # FastAPI's own method, not app.openapi: that name is what calls this function.
        whole = FastAPI.openapi(app)
        schemas = whole.setdefault("components", {}).setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        schemas["Problem"] = _PROBLEM
        settings: Settings = app.state.settings
        whole["components"].get("securitySchemes", {}).pop(READING, None)
        for path, method, operation in _operations(whole):
            if method == "post" and path.startswith("/v1/manage/") and path not in _SECRET:
                operation.setdefault("parameters", []).append(idempotency.PARAMETER)
            _tell_keys(operation, open_to_all=settings.read_keys == "open")
            _tell_problems(method, operation)
            _show_parameters(operation)
            _hoist(operation, schemas)
        _close(schemas)
        app.openapi_schema = whole
    return app.openapi_schema


def _operations(whole: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in whole["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def _tell_keys(operation: dict[str, Any], *, open_to_all: bool) -> None:
    """Which scopes open the operation, any one of them.

    Reading needs a key only where the operator says so; what is open may be asked with a key all the same.
    """
    for asked in operation.get("security", []):  # FastAPI: one scheme, with all scopes
        for scheme, scopes in asked.items():
            keyed = [{"key": [scope]} for scope in scopes]
            operation["security"] = [{}, *keyed] if scheme == READING and open_to_all else keyed


def _tell_problems(method: str, operation: dict[str, Any]) -> None:
    """Every failure the operation can answer with, as a problem: FastAPI tells one, and that one wrong."""
    responses = operation["responses"]
    if "HTTPValidationError" in json.dumps(responses.get("422", {})):
        del responses["422"]
    for status in _failures(method, operation):
        responses.setdefault(status, {"description": HTTPStatus(int(status)).phrase})
    for status, response in responses.items():
        if status[0] in "45":
            response["content"] = {MEDIA_TYPE: {"schema": {"$ref": f"{_REF}Problem"}}}
        elif response.get("content") == {"application/json": {"schema": {}}}:
            del response["content"]  # FastAPI's guess where a route describes nothing: /metrics is no JSON
    operation["responses"] = dict(sorted(responses.items()))


def _show_parameters(operation: dict[str, Any]) -> None:
    named = {parameter["name"]: parameter for parameter in operation.get("parameters", [])}
    for parameter in named.values():
        if parameter["name"] in _SHAPES:
            parameter["schema"] = _SHAPES[parameter["name"]]
        if parameter["name"] in _EXAMPLES:
            parameter.setdefault("example", _EXAMPLES[parameter["name"]])
    # Optional to FastAPI, so that we can answer 428 ourselves; only what may also create can do without it.
    if "If-None-Match" not in named and "If-Match" in named:
        named["If-Match"]["required"] = True


def _failures(method: str, operation: dict[str, Any]) -> set[str]:
    parameters = operation.get("parameters", [])
    found = {"400", "414", "429", "500", "503"}
    if operation.get("security") and {} not in operation["security"]:
        found |= {"401", "403"}
    if any(parameter["in"] == "path" or parameter["name"] in _NAMING for parameter in parameters):
        found.add("404")
    if any(parameter["name"] == "If-Match" for parameter in parameters):
        found |= {"412", "428"}
    if "requestBody" in operation:
        found |= {"413", "415", "422"}
    if idempotency.PARAMETER in parameters:
        found.add("422")
    if method in _CHANGING:
        found.add("409")
    return found


def _hoist(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Move the schemas of the operation's body to the components, where generators give them names."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = content.get("schema", {})
        if "properties" not in schema or "title" not in schema:
            continue
        parts = {**schema.pop("$defs", {}), schema["title"]: schema}
        # An answer may use the same model, with other members required: the body's then has a name of its own.
        names = {name: name if schemas.get(name, part) == part else f"{name}Input" for name, part in parts.items()}
        for name, part in parts.items():
            schemas[names[name]] = _renamed(part, names)
        content["schema"] = {"$ref": _REF + names[schema["title"]]}


def _close(schema: Any) -> None:
    """Say that a mapping has no keys but those of its pattern: Pydantic refuses others and does not tell."""
    if isinstance(schema, dict) and "patternProperties" in schema:
        schema.setdefault("additionalProperties", False)
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        _close(inner)


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _REF + names.get(item.removeprefix(_REF), item.removeprefix(_REF))
        if name == "$ref" and isinstance(item, str)
        else _renamed(item, names)
        for name, item in value.items()
    }
