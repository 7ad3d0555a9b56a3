"""The scopes a key may hold, and what each includes.

Where a scope is asked for: the route's signature, by way of ``app/wire/caller.py``.
"""

from collections.abc import Iterable
from typing import Literal, get_args

Scope = Literal["read", "read:drafts", "write", "publish", "sync", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

# Who sees the drafts may read what is published; `sync` is the feed and nothing else.
_INCLUDES: dict[str, frozenset[str]] = {
    "read:drafts": frozenset({"read"}),
    "write": frozenset({"read", "read:drafts"}),
    "publish": frozenset({"read", "read:drafts"}),
    "admin": frozenset(SCOPES),
}


def allows(held: Iterable[str], needed: Scope) -> bool:
    """Whether a key that holds ``held`` may do what needs ``needed``."""
    return any(scope == needed or needed in _INCLUDES.get(scope, ()) for scope in held)
