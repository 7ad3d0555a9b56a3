"""Who calls: the API key of a request, and the scope a route asks for, said in the route's signature.

What the scopes include is in ``app/access/scopes.py``, how a key is found in ``app/access/keys.py``.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.access import keys
from app.access.scopes import Scope, allows
from app.errors import Forbidden, Unauthenticated
from app.settings import Settings
from app.wire import sessions
from app.wire.limits import Rates

READING = "reading"
"""The scheme of addresses that only ask for a key where ``KIKU_READ_KEYS=required``: see ``openapi.py``."""


def _bearer(scheme_name: str) -> HTTPBearer:
    return HTTPBearer(
        scheme_name=scheme_name,
        bearerFormat="kiku_<id>_<secret>",
        description="An API key, made by `kiku keys create NAME --scope S`.",
        auto_error=False,
    )


Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(_bearer("key"))]


@dataclass(frozen=True)
class Caller:
    """The key that stands behind a request."""

    id: str
    scopes: tuple[Scope, ...]
    limited: bool
    """Whether there are only some of the working copies for it."""
    presented: str = field(repr=False)
    """The key in plain text, for answers that last: whether it still stands is asked with it."""

    def allows(self, scope: Scope) -> bool:
        """Whether the key may do what needs ``scope``."""
        return allows(self.scopes, scope)

    def require(self, scope: Scope) -> None:
        """Go on only if the key may do what needs ``scope``.

        Raises: Forbidden (``scope-missing``).
        """
        if not self.allows(scope):
            raise Forbidden("scope-missing", f"This needs a key with scope {scope}.")

    def require_all(self) -> None:
        """Go on only if the key is not limited to some languages or tags.

        Raises: Forbidden (``key-limited``).
        """
        if self.limited:
            raise Forbidden("key-limited", "What articles share is not for a key that is limited to some of them.")


async def identify(request: Request, credentials: Credentials) -> Caller:
    """The caller behind the request's key, whatever its scopes; ``trace`` and the Writer learn its id.

    Raises: Unauthenticated (``key-missing``, ``key-invalid``); TooMany; Busy.
    """
    rates: Rates = request.app.state.rates
    if credentials is None:
        rates.charge_address(request.scope)
        raise Unauthenticated("key-missing", "This needs an API key: Authorization: Bearer kiku_...")
    presented, rooms = credentials.credentials, sessions.of(request)
    key = await rooms.look_up(lambda reader: keys.find(reader, presented, rooms.database.clock()))
    if key is None:
        rates.charge_address(request.scope)
        raise Unauthenticated("key-invalid", "The API key is unknown, expired or revoked.")
    request.state.key_id = key.id
    limits = key.grant.limits
    request.state.rate_limit, request.state.view = limits.rate_limit, limits.view
    if not sessions.nested(request):  # what stands in a batch was counted with it
        rates.charge_key(request.scope, key.id, limits.rate_limit)
    request.app.state.uses.note(key.id, rooms.database.clock())
    return Caller(key.id, key.grant.scopes, limited=limits.view is not None, presented=presented)


def _holding(*scopes: Scope, whole: bool = False) -> Any:
    """A dependency: whoever holds one of the scopes, of which others are told the first.

    ``whole``: unless the key is limited to some of the working copies.
    """

    async def holder(caller: Annotated[Caller, Depends(identify)]) -> Caller:
        if not any(caller.allows(scope) for scope in scopes):
            caller.require(scopes[0])
        if whole:
            caller.require_all()
        return caller

    return Security(holder, scopes=scopes)  # which OpenAPI tells


async def public(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer(READING))]
) -> Caller | None:
    """Nobody, where everybody may read; else the caller, who must hold scope ``read``.

    Raises: what ``identify`` does; Forbidden (``scope-missing``).
    """
    settings: Settings = request.app.state.settings
    if settings.read_keys != "required":
        return None
    caller = await identify(request, credentials)
    caller.require("read")
    return caller


DraftReader = Annotated[Caller, _holding("read:drafts")]
"""May see working copies."""
Editor = Annotated[Caller, _holding("write")]
"""May change working copies."""
LedgerEditor = Annotated[Caller, _holding("write", "publish", whole=True)]
"""May change the ledger; what readers see of it only with ``publish``, which is asked for where that is known."""
AnyEditor = Annotated[Caller, _holding("write", "publish")]
"""May change something; what, is asked for where it is done."""
Reviewer = Annotated[Caller, _holding("write", "publish")]
"""May put a working copy before a reviewer, or send it back."""
Publisher = Annotated[Caller, _holding("publish")]
"""May change what is public."""
Curator = Annotated[Caller, _holding("publish", whole=True)]
"""May change collections."""
Previewer = Annotated[Caller, _holding("write", "publish")]
"""May show a working copy to people without a key."""
Subscriber = Annotated[Caller, _holding("sync")]
"""May follow the feed."""
Admin = Annotated[Caller, _holding("admin")]
"""May do everything."""
PublicReader = Annotated[Caller | None, Security(public, scopes=["read"])]
"""Anybody; with ``KIKU_READ_KEYS=required`` whoever holds scope ``read``, else None."""
