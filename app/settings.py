"""Configuration from the environment, read once into a frozen ``Settings``.

Nothing here opens, checks or creates anything; the doors (``main``, ``cli``) pass the value down.
"""

from typing import Annotated, Literal

import idna
from pydantic import AfterValidator, Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def host_name(text: str) -> str:
    """A host as it is resolved: lower case, IDNA, no brackets, no dot at its end. Raises: ValueError."""
    name = text.lower().removeprefix("[").removesuffix("]")
    return (name if name.isascii() else idna.encode(name, uts46=True).decode()).rstrip(".")


class Settings(BaseSettings):
    """What an operator may choose, as ``KIKU_*`` variables or lines of a ``.env`` file."""

    model_config = SettingsConfigDict(env_prefix="KIKU_", env_file=".env", frozen=True, extra="ignore")

    database_url: str = "sqlite:///kiku.db"
    """``sqlite:///path`` or ``postgresql://…`` (16 or newer)."""
    replica_url: str | None = None
    """A streaming replica that serves reads; the primary where empty."""
    read_keys: Literal["open", "required"] = "open"
    """``required``: reading published content needs a key with scope ``read``."""
    dictionary: Literal["small", "core"] = "small"
    """Which dictionary texts are read with for search; ``core`` must be installed. A change wants `kiku rebuild`."""
    rate_limit: Annotated[str, Field(pattern=r"^(off|[1-9][0-9]{0,8}/[1-9][0-9]{0,4}s)$")] = "off"
    """How often a key, or an address without one, may ask: ``600/60s``. Each process counts for itself."""
    trash_days: Annotated[int, Field(ge=0, le=36_500)] = 30
    """How long a trashed article can be restored; then it is purged. 0: it stays until somebody purges it."""
    tombstone_days: Annotated[int, Field(ge=1, le=36_500)] = 90
    """How long the feed tells that an article was withdrawn; mirrors that come later start again."""
    webhook_allowed_hosts: Annotated[tuple[Annotated[str, AfterValidator(host_name)], ...], NoDecode] = ()
    """Hosts (comma separated) to which webhooks may lead though their addresses are not public."""
    access_log: Literal["on", "off"] = "on"
    """One JSON line a request on standard output."""
    public_url: Annotated[str, Field(pattern=r"^https?://[^\s/?#@]+$")] | None = None
    """The origin at which readers reach this server, ``https://api.example``; where empty, the one they asked."""
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Origins (comma separated) whose pages may call the manage addresses; reading is open to all."""
    private_bind: bool = False
    """Set by ``kiku serve`` when it listens on a private address: ``/metrics`` then needs no key."""

    @field_validator("cors_origins", "webhook_allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("database_url", "replica_url")
    @classmethod
    def _known_database(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("sqlite:///", "postgresql://")):
            message = "must begin with sqlite:/// or postgresql://"
            raise ValueError(message)
        return value
