"""The repository as the house tests see it: its folders, its modules and their syntax trees."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "app"

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One Python file of the application."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def source(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def syntax(self) -> ast.Module:
        return ast.parse(self.source, filename=self.name)

    def at(self, node: ast.expr | ast.stmt) -> str:
        """Where ``node`` stands, as ``app/file.py:12``."""
        return f"{self.name}:{node.lineno}"


@cache
def modules() -> tuple[Module, ...]:
    return tuple(Module(path) for path in sorted(APP.rglob("*.py")))


def functions(module: Module) -> Iterator[FunctionNode]:
    for node in ast.walk(module.syntax):
        if isinstance(node, FunctionNode):
            yield node


def public_functions(module: Module) -> Iterator[tuple[str, FunctionNode]]:
    """Functions of the module and methods of its public classes whose names do not begin with ``_``."""
    for node in module.syntax.body:
        if isinstance(node, FunctionNode) and not node.name.startswith("_"):
            yield node.name, node
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for inner in node.body:
                if isinstance(inner, FunctionNode) and not inner.name.startswith("_"):
                    yield f"{node.name}.{inner.name}", inner


def reader_pages() -> str:
    """What a user can read: README.md and the pages of docs/, decisions aside, as one text."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return "\n".join(
        page.read_text(encoding="utf-8") for page in pages if page.is_file() and page.parent.name != "decisions"
    )


def report(findings: list[str], why: str, escape: str) -> str:
    """What a failing house test says: what was found, why there is a rule, how to follow it."""
    return "\n".join(["", *findings, f"Why: {why}", f"Escape: {escape}"])
