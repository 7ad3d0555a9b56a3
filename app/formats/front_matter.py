"""What stands beside the prose of a Markdown file, as YAML: written in a small part of it, read in a larger one.

Which values stand there is decided in ``markdown_writing.py`` and ``markdown_reading.py``.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from app.text import uuid_shaped

# One class for all signs: where two can take the same one, refusing a text takes twice as long with each more of it.
_PLAIN = re.compile(r"[^\W\d_](?:[\w./()+\-\u3001-\u30ff\uff01-\uff5e]| (?! |$))*")
"""What every reader of YAML takes for the same text without quotation marks, with the exception of some words."""
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf"})
_ESCAPED = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]|(?<=--)>|(?<=--!)>|<(?=!--)")
"""What is no character of YAML, breaks a line in it, or would begin or end an HTML comment."""
_NESTED = 32
"""Deeper than this no JSON is taken either. Values are built by recursion in C: unlimited, it ends the process."""
_VALUES = 10_000
"""Names, texts, beginnings and ends: three times what the longest part of an article says."""


class Unreadable(ValueError):
    """This is no YAML that is taken here; ``line``: where, from 0."""

    def __init__(self, detail: str, line: int = 0) -> None:
        super().__init__(detail)
        self.detail = detail
        self.line = line


class _Loader(yaml.CSafeLoader):
    """Every scalar is a text, but true, false and null: 2024-11 is a date in YAML 1.1, and no is false."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own name

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's own
        """The mapping, each key once."""
        for name, _ in node.value:
            name.tag = "tag:yaml.org,2002:str"
        names = {name.value for name, _ in node.value if isinstance(name, yaml.ScalarNode)}
        if len(names) < len(node.value):
            raise yaml.constructor.ConstructorError(None, None, "a name stands twice, or is none", node.start_mark)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(?:true|false)\Z"), ["t", "f"])
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:null|~|)\Z"), ["n", "~", ""])


def written(values: Mapping[str, Any]) -> str:
    """``values`` line by line; any YAML reader gets them back. The last line ends in a line feed, too."""
    return "".join(f"{line}\n" for line in _mapping(values))


def flow(value: Any) -> str:
    """``value`` in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {flow(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return _scalar(value)


def read(text: str) -> Any:
    """What ``text`` says; None where it says nothing. Raises: Unreadable, which repeats nothing of ``text``."""
    try:
        _check(text)
        return yaml.load(text, _Loader)  # noqa: S506 - a safe loader's child
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line if error.problem_mark else 0
        raise Unreadable(f"This is not YAML: {error.problem or error.context}.", line) from None
    except (yaml.YAMLError, UnicodeError):
        raise Unreadable("This is not YAML.") from None


def _check(text: str) -> None:
    """See that nothing is in ``text`` that is costly or unsafe to build. Raises: Unreadable; yaml.YAMLError."""
    depth, refused = 0, None
    for number, event in enumerate(yaml.parse(text, _Loader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            refused = "Anchors and aliases are not taken: say it again where it is meant."
        elif getattr(event, "tag", None) is not None:
            refused = "Tags are not taken: each value is what its field makes of it."
        elif depth > _NESTED:
            refused = f"Values stand at most {_NESTED} deep in one another."
        elif number > _VALUES:
            refused = "These are more values than any part of an article has."
        if refused is not None:
            raise Unreadable(refused, event.start_mark.line if event.start_mark else 0)


def _mapping(values: Mapping[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield f"{name}:"
            yield from (f"  {line}" for line in _mapping(value))
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            yield f"{name}:"
            for item in value:
                first, *rest = _mapping(item)
                yield f"  - {first}"
                yield from (f"    {line}" for line in rest)
        else:
            yield f"{name}: {flow(value)}"


def _scalar(value: Any) -> str:
    if value is None or isinstance(value, bool | int):
        return json.dumps(value)
    if uuid_shaped(value) or (_PLAIN.fullmatch(value) and value.lower() not in _WORDS):
        return str(value)
    quoted = json.dumps(value, ensure_ascii=False)
    return _ESCAPED.sub(lambda sign: f"\\u{ord(sign.group()):04x}", quoted)
