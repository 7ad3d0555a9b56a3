"""Whatever a user can meet is written down: settings, commands, error codes; and each module says what it is."""

import ast
import re
from collections.abc import Iterator

import pytest
import typer
from typer.main import get_command

from app import cli, errors
from app.settings import Settings
from tests.house.tree import Module, modules, public_functions, reader_pages, report

DOCSTRING_LINES = 12
CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
SPAN = re.compile(r"`([^`\n]+)`")
ROUTES = "app/api/"
"""A route's docstring is the OpenAPI text, written for an integrator: it may be longer."""


def docstring_lines(node: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    return [line for line in (ast.get_docstring(node) or "").splitlines() if line.strip()]


def commands() -> list[str]:
    """Every command as it is typed, ``kiku keys create`` among them."""
    apps = [value for value in vars(cli).values() if isinstance(value, typer.Typer)]
    nested = {group.typer_instance for app in apps for group in app.registered_groups}
    roots = [app for app in apps if app not in nested]
    assert len(roots) == 1, "app/cli holds one Typer that is not part of another"
    return list(typed(get_command(roots[0]), "kiku"))


def typed(command: object, words: str) -> Iterator[str]:
    inner: dict[str, object] = getattr(command, "commands", {})
    if not inner:
        yield words
    for name, part in inner.items():
        yield from typed(part, f"{words} {name}")


# Kinds that have one code, set in app/errors.py; their first argument is a sentence or a version.
NAMED = frozenset({"Busy", "Stale", "UnsupportedMediaType"})
KINDS = frozenset(name for name, value in vars(errors).items() if isinstance(value, type)) - NAMED


def spoken_codes(module: Module) -> Iterator[str]:
    """The literal codes with which the module reports failures and faults."""
    makers = KINDS | {"PydanticCustomError"} | ({"__init__"} if module.name == "app/errors.py" else set())
    for node in ast.walk(module.syntax):
        if not isinstance(node, ast.Call):
            continue
        called = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
        first = [*node.args[:1], *(keyword.value for keyword in node.keywords if keyword.arg == "code")]
        for value in first:
            if called in makers and isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value.value


class TestDocstrings:
    def test_each_module_says_what_lives_in_it_and_what_does_not(self) -> None:
        findings = [module.name for module in modules() if len(docstring_lines(module.syntax)) < 2]
        assert not findings, report(
            findings,
            "who looks for something must learn from the first lines whether it is here.",
            "two parts: what lives here; what does not, and where it is.",
        )

    def test_each_public_function_has_a_docstring(self) -> None:
        findings = [
            f"{module.at(node)} {name}"
            for module in modules()
            for name, node in public_functions(module)
            if not docstring_lines(node)
        ]
        assert not findings, report(
            findings,
            "a name and types do not tell units, what empty means, and which errors are raised.",
            "one sentence is enough; or begin the name with _ if nobody outside calls it.",
        )

    def test_a_docstring_below_the_routes_has_at_most_12_lines(self) -> None:
        findings = [
            f"{module.at(node)} {name}"
            for module in modules()
            for name, node in public_functions(module)
            if not module.name.startswith(ROUTES) and len(docstring_lines(node)) > DOCSTRING_LINES
        ]
        assert not findings, report(
            findings, "what needs more words is more than one function, or a decision.", "docs/decisions/."
        )


class TestReaderPages:
    def test_every_setting_is_in_the_readme_or_the_docs(self) -> None:
        names = [f"KIKU_{name.upper()}" for name in Settings.__annotations__ if name != "model_config"]
        findings = [name for name in names if not re.search(rf"\b{name}\b", reader_pages())]
        assert not findings, report(
            findings, "an operator cannot set what is not written down.", "add it to the table of settings."
        )

    def test_every_command_is_in_the_readme_or_the_docs(self) -> None:
        findings = [command for command in commands() if command not in reader_pages()]
        assert not findings, report(
            findings, "an operator cannot run what is not written down.", "add it to the list of commands, as typed."
        )

    def test_every_error_code_is_in_the_readme_or_the_docs(self) -> None:
        codes = {code for module in modules() for code in spoken_codes(module)}
        written = set(SPAN.findall(reader_pages()))
        findings = sorted(codes - written)
        assert not findings, report(
            findings, "clients branch on codes: they are part of the contract.", "add it, in backquotes, to the table."
        )

    def test_every_error_code_is_lower_case_words_joined_by_hyphens(self) -> None:
        codes = {code for module in modules() for code in spoken_codes(module)}
        findings = sorted(code for code in codes if not CODE.fullmatch(code))
        assert not findings, report(
            findings, "a code is part of an address, /problems/{code}.", "spell it like `draft-stale`."
        )

    @pytest.mark.parametrize("code", ["draft-stale", "busy"])
    def test_the_codes_of_the_kinds_themselves_are_seen(self, code: str) -> None:
        assert code in {code for module in modules() for code in spoken_codes(module)}
