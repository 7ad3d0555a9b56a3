"""The secret of this instance: 32 random bytes, made by the migration that made their table, never shown.

What is signed or hashed with it is decided where that is done.
"""

from sqlalchemy import CheckConstraint, Column, Integer, Table, select

from app.database import Bytes, Reader, metadata

instance = Table(
    "instance",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("secret", Bytes, nullable=False),
    CheckConstraint("id = 1", name="single"),
)
_SECRET = select(instance.c.secret)


def load(reader: Reader) -> bytes:
    """The secret, 32 bytes."""
    return bytes(reader.execute(_SECRET).scalar_one())
