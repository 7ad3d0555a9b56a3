"""The matrix of routes and scopes as the documentation prints it; ``make docs`` prints it anew."""

from pathlib import Path
from typing import Any

from app.access.scopes import SCOPES, allows
from app.database import Database
from app.main import create_api
from app.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "scopes.md"
NOBODY = "no key"
OPENED, REFUSED = "●", ""
HEAD = """\
# Who may do what

Every address, and which scope of a key opens it; printed from the code by `make docs`. Without a key what is read is
open unless `KIKU_READ_KEYS=required`. What an address does may ask for more, as [the API](api.md) says: withdrawing
what is published needs `publish`, so does changing what of the ledger readers see, and a batch asks for what each of
its operations asks for. `/metrics` needs `admin` unless Kiku listens on a private address.
"""


def matrix(document: dict[str, Any]) -> dict[str, dict[str, bool]]:
    """Operation → ``NOBODY`` or scope → whether that opens it, as an OpenAPI document tells."""
    found = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            asked = operation.get("security", [{}])
            needed = [scope for each in asked for scope in each.get("key", [])]
            opened: dict[str, bool] = {
                scope: {} in asked or any(allows([scope], one) for one in needed) for scope in SCOPES
            }
            found[f"{method.upper()} {path}"] = {NOBODY: {} in asked} | opened
    return found


def page(rows: dict[str, dict[str, bool]]) -> str:
    """The page of the documentation."""
    columns = [NOBODY, *SCOPES]
    lines = ["| |" + "".join(f" {name} |" for name in columns), "|---|" + ":-:|" * len(columns)]
    for operation, opened in rows.items():
        lines.append(f"| `{operation}` |" + "".join(f" {OPENED if opened[name] else REFUSED} |" for name in columns))
    return HEAD + "\n" + "\n".join(lines) + "\n"


def printed() -> str:
    """The page as the code has it now."""
    api = create_api(Settings(), Database("sqlite:///never-opened.db"), owned=False)
    return page(matrix(api.openapi()))


def read() -> dict[str, dict[str, bool]]:
    """What the page in the documentation says."""
    rows = [line.strip("|").split("|") for line in PAGE.read_text().splitlines() if line.startswith("|")]
    columns = [cell.strip() for cell in rows[0][1:]]
    return {
        row[0].strip(" `"): {name: cell.strip() == OPENED for name, cell in zip(columns, row[1:], strict=True)}
        for row in rows[2:]
    }


if __name__ == "__main__":
    PAGE.write_text(printed())
