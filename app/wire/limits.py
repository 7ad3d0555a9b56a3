"""How often may be asked: a request counts against its key, or, where no key stands behind it, against its address.

Each process counts for itself, in memory (ADR 0012). Which key stands behind a request is found in ``caller.py``; how
large a body may be is said in ``bodies.py``.
"""

import ipaddress
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import TooLarge, TooMany
from app.settings import Settings
from app.wire import problems

_KEYED = ("/v1/manage/", "/v1/sync")
"""Below these a key is asked for, whatever the settings."""
_FREE = ("/health/", "/metrics")
_PREVIEW = "/v1/preview/"
"""What is below it is open even where reading needs a key."""
_IPV6_NETWORK = 64
"""How many bits of an IPv6 address are one client's: it has all addresses below them to choose from."""
_TAKEN = "kiku_taken"


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests in so many seconds."""

    amount: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> "Limit":
        """What ``600/60s`` says."""
        amount, _, seconds = text.removesuffix("s").partition("/")
        return cls(int(amount), int(seconds))


@dataclass(frozen=True, slots=True)
class Taken:
    """What asking took: whether it was one too many, how much is left, and until when; seconds are rounded up."""

    limit: Limit
    remaining: int
    reset_seconds: int
    retry_seconds: int
    """0: it was allowed."""


class Rates:
    """The counts of one process. A window slides: of the one before counts the share that still lies in it."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._limit = None if settings.rate_limit == "off" else Limit.parse(settings.rate_limit)
        self._open = settings.read_keys == "open"
        self._clock = clock
        self._windows: dict[int, _Windows] = {}

    def counts_address(self, scope: Scope) -> bool:
        """Whether the request counts against its address: no key will be asked for there."""
        if self._limit is None or scope["path"].startswith((*_KEYED, *_FREE)):
            return False
        return self._open or scope["path"].startswith(_PREVIEW)

    def charge_address(self, scope: Scope) -> None:
        """Count the request against its address, once. Raises: TooMany."""
        if self._limit is not None:
            taken: Taken = scope.get(_TAKEN) or self._take(_address(scope), self._limit)
            self._settle(scope, taken)

    def charge_key(self, scope: Scope, key_id: str, own: str | None, amount: int = 1) -> None:
        """Count ``amount`` requests against a key, by its ``own`` limit or that of all.

        Raises: TooMany; TooLarge (``batch-too-large``) where so many can never be asked at once.
        """
        limit = self._limit if own is None else Limit.parse(own)
        if limit is None:
            return
        if amount > limit.amount:
            raise TooLarge("batch-too-large", f"This key may ask {limit.amount} times in {limit.seconds} seconds.")
        self._settle(scope, self._take(key_id, limit, amount))

    def _settle(self, scope: Scope, taken: Taken) -> None:
        scope[_TAKEN] = taken
        if taken.retry_seconds:
            raise TooMany("rate-limited", "Too many requests; wait before the next.", taken.retry_seconds)

    def _take(self, who: str, limit: Limit, amount: int = 1) -> Taken:
        windows = self._windows.setdefault(limit.seconds, _Windows())
        number, passed = divmod(self._clock().timestamp(), limit.seconds)
        windows.turn(int(number))
        left = 1 - passed / limit.seconds
        before = windows.before[who]
        wait = _wait(limit.amount - amount, before, windows.now[who], left)
        if not wait:
            windows.now[who] += amount
        now = windows.now[who]
        remaining = max(0, math.floor(limit.amount - before * left - now))
        reset = left if remaining else _wait(limit.amount - 1, before, now, left)
        return Taken(limit, remaining, *(math.ceil(round(each * limit.seconds, 6)) for each in (reset, wait)))


def _wait(room: int, before: int, now: int, left: float) -> float:
    """How many windows to wait until no more than ``room`` counts, of ``before`` in the last one only what is left."""
    if before * left + now <= room:
        return 0
    if now <= room:  # until enough of the window before has slid out
        return left - (room - now) / before
    return left + 1 - room / now  # until enough of this one has, when it is the one before


class _Windows:
    """How often each asked in this window, and in the one before."""

    def __init__(self) -> None:
        self.now: Counter[str] = Counter()
        self.before: Counter[str] = Counter()
        self._number = 0

    def turn(self, number: int) -> None:
        if number != self._number:
            self.before = self.now if number == self._number + 1 else Counter()
            self._number, self.now = number, Counter()


class Limited:
    """Refuses what is too much for an address, and tells with every answer how much is left."""

    def __init__(self, app: ASGIApp, rates: Rates) -> None:
        self._app = app
        self._rates = rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 429."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers(scope))
            await send(message)

        try:
            if self._rates.counts_address(scope):
                self._rates.charge_address(scope)
        except TooMany as error:
            await problems.answer(Request(scope), error)(scope, receive, tell)
        else:
            await self._app(scope, receive, tell)


def charge_batch(request: Request, operations: int) -> None:
    """Count the operations of a batch, which itself is counted as one. Raises: TooMany; TooLarge."""
    if operations > 1:
        rates: Rates = request.app.state.rates
        rates.charge_key(request.scope, request.state.key_id, request.state.rate_limit, operations - 1)


def headers(scope: Scope) -> dict[str, str]:
    """What the client is told of the rate it may ask at; nothing where its request was not counted.

    Source: draft-ietf-httpapi-ratelimit-headers-10.
    """
    taken: Taken | None = scope.get(_TAKEN)
    if taken is None:
        return {}
    policy = f'"default";q={taken.limit.amount};w={taken.limit.seconds}'
    return {"RateLimit-Policy": policy, "RateLimit": f'"default";r={taken.remaining};t={taken.reset_seconds}'}


def _address(scope: Scope) -> str:
    client = scope.get("client")
    host: str = client[0] if client else ""
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError:
        return host
    if address.ipv4_mapped is not None:  # as a socket that listens to both shows them
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((address, _IPV6_NETWORK), strict=False))
