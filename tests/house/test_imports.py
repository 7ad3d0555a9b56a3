"""Imports stand at the top of a file, where everybody (and import-linter) sees them."""

import ast

from tests.house.tree import functions, modules, report

WHY = "a hidden import is a floor that is wrong, or a circle that waits."
ESCAPE = "move the shared part one floor down, or pass the value in as an argument."


class TestImports:
    def test_no_import_stands_inside_a_function(self) -> None:
        findings = [
            f"{module.at(node)} in {function.name}"
            for module in modules()
            for function in functions(module)
            for node in ast.walk(function)
            if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        assert not findings, report(findings, WHY, ESCAPE)

    def test_no_import_is_made_for_type_checking_only(self) -> None:
        findings = [
            module.at(node)
            for module in modules()
            for node in ast.walk(module.syntax)
            if (isinstance(node, ast.Name) and node.id == "TYPE_CHECKING")
            or (isinstance(node, ast.Attribute) and node.attr == "TYPE_CHECKING")
        ]
        assert not findings, report(findings, WHY, ESCAPE)
