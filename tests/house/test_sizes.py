"""Files and functions stay small enough to be read in one go."""

from tests.house.tree import functions, modules, report

FILE_LINES = 450
FUNCTION_LINES = 60


class TestSizes:
    def test_a_file_of_the_application_has_at_most_450_lines(self) -> None:
        lines = {module.name: len(module.source.splitlines()) for module in modules()}
        findings = [f"{name} has {count} lines" for name, count in lines.items() if count > FILE_LINES]
        assert not findings, report(
            findings,
            f"a file over {FILE_LINES} lines holds more than one noun.",
            "find the second noun in it and give it a module of its own.",
        )

    def test_a_function_of_the_application_has_at_most_60_lines(self) -> None:
        findings = [
            f"{module.at(node)} {node.name} has {count} lines"
            for module in modules()
            for node in functions(module)
            if (count := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES
        ]
        assert not findings, report(
            findings,
            f"a function over {FUNCTION_LINES} lines tells more than one story.",
            "give each step a name; the function then reads like a recipe.",
        )
