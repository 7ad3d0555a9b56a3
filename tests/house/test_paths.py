"""The repository says nothing about the machine it was written on."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.tree import ROOT, report

NOT_OURS = re.compile(
    r"^(\.git|\.venv|venv|\..*cache|\.hypothesis|__pycache__|build|dist|htmlcov|\.coverage.*|.*\.egg-info)$"
)
TEXT = frozenset({".py", ".toml", ".md", ".txt", ".ini", ".lock", ".json", ".yml", ".yaml", ".mako", ".html", ""})
MACHINE = re.compile(r"(?<![\w.~-])/(?:root|work|home/[a-z_][\w-]*|Users/[A-Za-z][\w-]*)/|\b[A-Z]:\\Users\\")
LONGEST_BYTES = 1_000_000


def texts(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or NOT_OURS.match(path.name):
            continue
        if path.is_dir():
            yield from texts(path)
        elif path.suffix in TEXT and path.name != ".env" and path.stat().st_size < LONGEST_BYTES:
            yield path


class TestPaths:
    def test_no_file_names_a_path_of_a_machine(self) -> None:
        findings = [
            f"{path.relative_to(ROOT).as_posix()}:{number} {found.group()}"
            for path in texts(ROOT)
            for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1)
            if (found := MACHINE.search(line))
        ]
        assert not findings, report(
            findings,
            "such a path exists on one machine only, and tells about it.",
            "say it from the repository's root, or take it from the environment.",
        )
