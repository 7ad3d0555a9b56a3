"""JSON read strictly, and a value held against a Pydantic model: what is wrong is told as faults with JSON pointers.

Which models there are is said in ``app/articles/document.py``; rules that need the database are the owner modules'.
"""

import json
from collections.abc import Iterable, Mapping
from typing import NoReturn, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

from app.errors import Fault, Invalid, Malformed

FAULTS = 1_000
"""At most so many faults are told at once: an answer must not be larger than its cause."""

JSON_DEPTH = 32
"""How many arrays and objects may stand in each other."""

M = TypeVar("M", bound=BaseModel)
_FAULT_CODES = {"missing": "required", "extra_forbidden": "unknown-field"}
_FAULT_DETAILS = {"missing": "This is required.", "extra_forbidden": "This is not known here."}
_PYDANTIC_TYPES = frozenset(get_args(ErrorType))
# What Pydantic's sentences of these carry comes from the input: it is never echoed.
_ECHOING_CONTEXT = frozenset({"error", "tag", "method_name", "class_name"})
_EXACT = 2**53 - 1  # RFC 7493 2.2


def parse_json(content: bytes) -> object:
    """The value that ``content`` spells in strict JSON, the same on every backend.

    Raises: Malformed (``json-invalid``): empty, not UTF-8, BOM, NaN, Infinity, numbers beyond doubles,
    duplicate keys, more than ``JSON_DEPTH`` levels; Invalid (``text-refused``): NUL, lone surrogates.
    Source: RFC 8259; RFC 7493 (I-JSON) 2.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        _malformed("This is not UTF-8.")
    if not text.strip(" \t\r\n"):
        _malformed("There is nothing here.")
    if text.startswith("\ufeff"):
        _malformed("This begins with a byte order mark.")
    try:
        value: object = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_constant, parse_float=_finite, parse_int=_integer
        )
    except json.JSONDecodeError as error:
        _malformed(f"This is not JSON: line {error.lineno}, column {error.colno}.")
    except RecursionError:
        _too_deep()
    check_depth(value)
    if "\\u" in text:  # the only way a surrogate or a NUL gets past the two decoders
        _check_characters(value)
    return value


def check_depth(value: object) -> None:
    """Go on only where no more than ``JSON_DEPTH`` arrays and objects stand in each other. Raises: Malformed."""
    level = [value]
    for _ in range(JSON_DEPTH + 1):
        containers = [item for item in level if isinstance(item, dict | list)]
        if not containers:
            return
        level = [child for item in containers for child in (item.values() if isinstance(item, dict) else item)]
    _too_deep()


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


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        _malformed("A key stands twice in one object.")
    return members


def _constant(_: str) -> NoReturn:
    _malformed("NaN and Infinity are not JSON.")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in {float("inf"), float("-inf")}:
        _malformed("A number is too large.")
    # JSON has one kind of number: 20.0 is the integer 20 (JSON Schema 2020-12, 6.1.1), as far as doubles are exact.
    return int(number) if number.is_integer() and abs(number) <= _EXACT else number


def _integer(digits: str) -> int:
    if len(digits) > 309:  # noqa: PLR2004 - the digits of the largest double; Python itself stops at 4,300
        _malformed("A number is too large.")
    return int(digits)


def _check_characters(value: object) -> None:
    faults: list[Fault] = []
    rest: list[tuple[object, tuple[str | int, ...]]] = [(value, ())]
    while rest:
        item, parts = rest.pop()
        texts = item if isinstance(item, dict) else [item] if isinstance(item, str) else []
        # A bad key is told by the object it stands in: a pointer with it could not be read.
        if not all(_storable(text) for text in texts):
            detail = "NUL and lone surrogates are not allowed."
            faults.append(Fault("text-refused", detail, pointer=pointer(parts)))
        elif isinstance(item, dict):
            rest += [(child, (*parts, key)) for key, child in item.items()]
        elif isinstance(item, list):
            rest += [(child, (*parts, index)) for index, child in enumerate(item)]
    if faults:
        raise Invalid("validation", "The body is not as it should be.", tuple(faults[::-1][:FAULTS]))


def _storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _too_deep() -> NoReturn:
    _malformed(f"More than {JSON_DEPTH} arrays and objects stand in each other.")


def _malformed(detail: str) -> NoReturn:
    raise Malformed("json-invalid", detail)
