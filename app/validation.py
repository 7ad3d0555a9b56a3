"""A value held against a Pydantic model, and what is wrong with it told as faults with JSON pointers.

Which models there are is said in ``app/articles/document.py``; rules that need the database are the owner modules'.
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

from app.errors import Fault, Invalid

FAULTS = 1_000
"""At most so many faults are told at once: an answer must not be larger than its cause."""

M = TypeVar("M", bound=BaseModel)
_FAULT_CODES = {"missing": "required", "extra_forbidden": "unknown-field"}
_FAULT_DETAILS = {"missing": "This is required.", "extra_forbidden": "This is not known here."}
_PYDANTIC_TYPES = frozenset(get_args(ErrorType))
# What Pydantic's sentences of these carry comes from the input: it is never echoed.
_ECHOING_CONTEXT = frozenset({"error", "tag", "method_name", "class_name"})


def validated(model: type[M], value: object) -> M:
    """``value`` as a ``model``.

    Raises: Invalid (``validation``) with every fault at once, each with its JSON pointer into ``value``.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        faults = tuple(_fault(detail, value) for detail in details[:FAULTS])
        raise Invalid("validation", "The body is not as it should be.", faults) from None


def demand_told(sent: BaseModel, told: Mapping[str, object], names: Iterable[str]) -> None:
    """Go on only if ``sent`` says of what only the server decides nothing, or what was told of it.

    Raises: Invalid (``validation``) with the fault ``read-only`` for each of the ``names`` that is said otherwise.
    """
    detail = "This is decided by the server; leave it out or send back the current value."
    said = ((name, getattr(sent, name)) for name in names)
    faults = [
        Fault("read-only", detail, pointer=f"/{name}") for name, value in said if value not in {None, told.get(name)}
    ]
    if faults:
        raise Invalid("validation", "The body is not as it should be.", tuple(faults))


def fault_code(error: ErrorDetails) -> str:
    """The stable code of one of Pydantic's errors; a custom error's type is taken as it is."""
    kind = error["type"]
    return _FAULT_CODES.get(kind) or (kind.replace("_", "-") if kind in _PYDANTIC_TYPES else kind)


def fault_detail(error: ErrorDetails) -> str:
    """A sentence for one of Pydantic's errors that holds nothing of the input."""
    kind = error["type"]
    if kind in _FAULT_DETAILS:
        return _FAULT_DETAILS[kind]
    if kind in {"value_error", "assertion_error"}:
        return error["msg"].partition(", ")[2]
    if kind in _PYDANTIC_TYPES and _ECHOING_CONTEXT & error.get("ctx", {}).keys():
        return "The value is not of the form asked for here."
    return error["msg"]


def pointer(parts: tuple[str | int, ...]) -> str:
    """The JSON pointer made of ``parts``. Source: RFC 6901 3."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def _fault(error: ErrorDetails, value: object) -> Fault:
    """The fault with a pointer into the input: Pydantic's location also names keys and branches of unions."""
    parts: list[str | int] = []
    for part in error["loc"]:
        inside = part in value if isinstance(value, dict) else isinstance(value, list) and isinstance(part, int)
        if inside and isinstance(value, dict | list):
            value = value[part]  # type: ignore[index]  # a list's part is an int, see above
            parts.append(part)
    if error["type"] == "missing":
        parts.append(error["loc"][-1])
    return Fault(fault_code(error), fault_detail(error), pointer=pointer(tuple(parts)))
