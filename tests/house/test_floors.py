"""The floors of pyproject.toml hold; and each contract is able to break, tried on a dummy tree."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT

GOOD = {
    "__init__": "",
    "preloaded": "from app.main import create_app",
    "main": "import fastapi, starlette.types\nfrom app import settings\nfrom app.api import articles",
    "cli": "import rich, typer\nfrom app import database, mirror, revision, schema\nfrom app.publishing import publish",
    "server": "import uvicorn",
    "api/__init__": "",
    "api/articles": "import fastapi\nfrom app.wire import bodies\nfrom app.articles import drafts",
    "api/sources": "from app.wire import bodies\nfrom app.publishing import publish",
    "schema": "import alembic\nfrom app import revision\nfrom app.delivery import snapshots",
    "wire/__init__": "",
    "wire/bodies": "import starlette\nfrom app import database, errors, settings\nfrom app.wire import paging",
    "wire/paging": "from app.access import keys",
    "worker": "from app.publishing import publish",
    "mirror": "import json",
    "publishing/__init__": "",
    "publishing/publish": "from app.delivery import snapshots\nfrom app.formats import markdown",
    "delivery/__init__": "",
    "delivery/snapshots": "import sqlalchemy\nfrom app import database",
    "formats/__init__": "",
    "formats/markdown": "from app import text\nfrom app.articles import document",
    "articles/__init__": "",
    "articles/document": "import pydantic\nfrom app import text",
    "articles/drafts": "import sqlalchemy\nfrom app import database\nfrom app.articles import document",
    "sync/__init__": "",
    "sync/changes": "import sqlalchemy\nfrom app import database",
    "access/__init__": "",
    "access/keys": "import sqlalchemy\nfrom app import database",
    "revision": "import sqlalchemy\nfrom app import database",
    "database": "import sqlalchemy\nfrom app import engines, direct, errors",
    "engines": "import sqlalchemy",
    "direct": "import psycopg\nfrom app import errors",
    "validation": "import pydantic\nfrom app import errors",
    "text": "import unicodedata\nfrom app import errors",
    "settings": "",
    "errors": "",
    "search/__init__": "",
    "search/index": "from app.search import query, fts5",
    "search/fts5": "import sqlalchemy\nfrom app import database",
    "search/folding": "import regex",
    "search/excerpts": "from app.search import folding",
    "search/query": "from app import text\nfrom app.search import tokens",
    "search/tokens": "from app import text",
}
BROKEN = [
    ("A floor imports", "articles/drafts", "from app.delivery import snapshots"),
    ("A floor imports", "main", "from app import cli"),
    ("A floor imports", "main", "from app import preloaded"),
    ("A floor imports", "api/articles", "from app import worker"),
    ("A floor imports", "api/articles", "from app import schema"),
    ("A floor imports", "main", "from app import server"),
    ("A floor imports", "publishing/publish", "from app.wire import paging"),
    ("A floor imports", "wire/paging", "from app import schema"),
    ("A floor imports", "delivery/snapshots", "from app.formats import markdown"),
    ("A floor imports", "delivery/snapshots", "from app.search import index"),
    ("A floor imports", "access/keys", "def f():\n    from app.sync import changes"),
    ("A floor imports", "errors", "from app import settings"),
    ("A floor imports", "helpers", ""),
    ("Formats and text", "formats/markdown", "import sqlalchemy"),
    ("Formats and text", "formats/markdown", "from app.database import Reader"),
    ("Formats and text", "formats/markdown", "from app.articles import drafts"),
    ("Formats and text", "text", "import sqlalchemy"),
    ("Search tokens", "search/tokens", "import sqlalchemy"),
    ("Search tokens", "search/query", "from app.search import fts5"),
    ("The wire imports", "wire/paging", "from app.articles import document"),
    ("The wire imports", "wire/paging", "from app.sync import changes"),
    ("Only main, api and wire", "publishing/publish", "import fastapi"),
    ("Only main, api and wire", "cli", "from starlette.applications import Starlette"),
    ("Only server", "main", "import uvicorn"),
    ("What serves", "main", "from app import schema"),
    ("What serves", "wire/paging", "import rich"),
    ("The mirror imports", "mirror", "from app import errors"),
    ("No file of app/api", "api/sources", "from app.api import articles"),
]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def build(folder: Path, tree: dict[str, str]) -> None:
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name, source in tree.items():
        path = folder / "app" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{source}\n", encoding="utf-8")


class TestFloors:
    def test_the_house_keeps_its_contracts(self) -> None:
        result = lint(ROOT)
        assert result.returncode == 0, result.stdout + result.stderr


class TestContracts:
    def test_a_good_tree_keeps_them(self, tmp_path: Path) -> None:
        build(tmp_path, GOOD)
        result = lint(tmp_path)
        assert result.returncode == 0, result.stdout + result.stderr

    @pytest.mark.parametrize(("contract", "name", "line"), BROKEN)
    def test_a_bad_import_breaks_the_one_that_forbids_it(
        self, tmp_path: Path, contract: str, name: str, line: str
    ) -> None:
        build(tmp_path, GOOD | {name: f"{GOOD.get(name, '')}\n{line}"})
        result = lint(tmp_path)
        assert result.returncode != 0, result.stdout
        broken = [row for row in result.stdout.splitlines() if " BROKEN" in row]
        assert any(row.startswith(contract) for row in broken), result.stdout + result.stderr
