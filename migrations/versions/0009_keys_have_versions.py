"""A key has a version of its own, as what can be changed has."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("keys", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    op.execute("UPDATE keys SET version = 2 WHERE revoked_at IS NOT NULL")


def downgrade() -> None:
    op.drop_column("keys", "version")
