"""Audit rows carry a reason, are found by their object, and stay as they were written; the instance has a secret."""

import os
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

FOUND_BY = ("object_id", "key_id")


def upgrade() -> None:
    op.create_table(
        "instance",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_instance_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instance")),
    )
    op.execute(sa.text("INSERT INTO instance (id, secret) VALUES (1, :secret)").bindparams(secret=os.urandom(32)))
    op.add_column("audit", sa.Column("reason", sa.Text(), nullable=True))
    for column in FOUND_BY:
        op.create_index(f"ix_audit_{column}", "audit", [column, "id"])
    for statement in _append_only():
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER audit_stays ON audit")
        op.execute("DROP FUNCTION audit_stays")
    else:
        op.execute("DROP TRIGGER audit_is_not_changed")
        op.execute("DROP TRIGGER audit_is_not_removed")
    for column in FOUND_BY:
        op.drop_index(f"ix_audit_{column}", table_name="audit")
    op.drop_column("audit", "reason")
    op.drop_table("instance")


def _append_only() -> tuple[str, ...]:
    """Triggers that refuse to change or remove a row, whoever asks."""
    refuse = "'audit rows are never changed or removed'"
    if op.get_bind().dialect.name == "postgresql":
        each = "BEFORE UPDATE OR DELETE OR TRUNCATE ON audit FOR EACH STATEMENT"
        body = f"LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION {refuse}; END $$"
        return (
            f"CREATE FUNCTION audit_stays() RETURNS trigger {body}",
            f"CREATE TRIGGER audit_stays {each} EXECUTE FUNCTION audit_stays()",
        )
    body = f"BEGIN SELECT RAISE(ABORT, {refuse}); END"
    return (
        f"CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit {body}",
        f"CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit {body}",
    )
