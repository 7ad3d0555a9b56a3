"""A module is named after what lives in it."""

from tests.house.tree import APP, ROOT, modules, report

DRAWERS = frozenset({"utils", "util", "helpers", "helper", "common", "core", "misc"})
LAYERS = frozenset({"service", "services", "repository", "repositories", "base", "manager", "managers"})


class TestDrawers:
    def test_no_module_or_package_is_a_drawer_for_anything(self) -> None:
        names = [path.relative_to(ROOT) for path in APP.rglob("*") if path.is_dir() or path.suffix == ".py"]
        findings = [name.as_posix() for name in names if name.stem.strip("_") in DRAWERS | LAYERS]
        assert not findings, report(
            findings,
            "such a name says nothing, so everything ends up there and everybody imports it.",
            "name the module after the noun it holds; a function goes to the module that owns its data.",
        )

    def test_no_module_repeats_the_name_of_its_package(self) -> None:
        findings = [
            module.name
            for module in modules()
            if module.path.parent != APP
            and module.path.stem.startswith(f"{module.path.parent.name.removesuffix('s')}_")
        ]
        assert not findings, report(
            findings,
            "modules are read with their package: `search.index`, not `search.search_index`.",
            "name the module after its own noun.",
        )
