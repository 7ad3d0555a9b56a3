"""Two hashed lock files, and one of them contains the other."""

import re
from collections.abc import Iterator

import pytest

from tests.house.tree import ROOT, report

RUN = "requirements.lock"
DEV = "requirements-dev.lock"
REMAKE = "run `make lock` and commit both files."

Pins = dict[str, tuple[str, frozenset[str]]]


def requirements(name: str) -> Iterator[str]:
    """Each requirement of a lock file with its hashes, as one line."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    return (line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))


def pins(name: str) -> Pins:
    """Package, whatever extras of it -> (its version, its hashes)."""
    found: Pins = {}
    for line in requirements(name):
        package, version = line.split()[0].split("==")
        found[package.partition("[")[0]] = (version, frozenset(re.findall(r"--hash=(\S+)", line)))
    return found


class TestLocks:
    @pytest.mark.parametrize("name", [RUN, DEV])
    def test_a_lock_names_no_address(self, name: str) -> None:
        findings = [line.split("--hash")[0] for line in requirements(name) if "://" in line]
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text, report(findings, "everybody installs from the index of their own choice.", REMAKE)

    @pytest.mark.parametrize("name", [RUN, DEV])
    def test_every_requirement_has_one_version_and_hashes(self, name: str) -> None:
        findings = [
            line.split("--hash")[0]
            for line in requirements(name)
            if not re.match(r"[a-z0-9-]+(\[[a-z,]+\])?==\S+", line) or "--hash=sha256:" not in line
        ]
        assert not findings, report(findings, "`pip install --require-hashes` refuses anything else.", REMAKE)

    def test_the_dev_lock_holds_the_run_lock_with_the_same_versions_and_hashes(self) -> None:
        run, dev = pins(RUN), pins(DEV)
        findings = [f"{package}: {RUN} and {DEV} differ" for package, pin in run.items() if dev.get(package) != pin]
        assert not findings, report(findings, "what is tested must be what runs.", REMAKE)

    def test_the_run_lock_can_build_the_project_and_speak_to_both_databases(self) -> None:
        missing = {"hatchling", "editables", "psycopg", "psycopg-binary", "sqlalchemy"} - pins(RUN).keys()
        assert not missing, report(
            sorted(missing), "the project is installed without build isolation, by this file alone.", REMAKE
        )

    def test_there_is_no_third_lock_file(self) -> None:
        findings = [name for name in ("uv.lock", "pylock.toml", "poetry.lock") if (ROOT / name).exists()]
        assert not findings, report(
            findings,
            "two locks that are not made together say two different things.",
            f"delete it; {RUN} and {DEV} are the locks.",
        )
