"""On PostgreSQL the frozen bytes and the folded texts, which are read whole, are kept as they are, not compressed.

Only what is stored from now on; what was stored before stays readable as it is.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_READ_WHOLE = {"snapshots": "body", "snapshot_pages": "body", "search_texts": "folded"}


def upgrade() -> None:
    _keep("EXTERNAL")


def downgrade() -> None:
    _keep("EXTENDED")


def _keep(storage: str) -> None:
    """Let these columns be kept so; Source: postgresql.org/docs, TOAST and ALTER TABLE … SET STORAGE."""
    if op.get_bind().dialect.name != "postgresql":  # SQLite compresses nothing
        return
    for table, column in _READ_WHOLE.items():
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE {storage}")
