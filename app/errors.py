"""The kinds of failure a room can report, each with a stable code.

HTTP statuses are not chosen here: one table in ``app/wire/problems.py`` does that.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with an input: where it stands, its stable code, a sentence for people.

    ``pointer`` is an RFC 6901 JSON pointer into the body, ``parameter`` the name of a query parameter
    or header; exactly one of the two is given.
    """

    code: str
    detail: str
    pointer: str | None = None
    parameter: str | None = None
    severity: str | None = None
    """``error`` or ``warning`` where the fault is a check's."""


class KikuError(Exception):
    """A failure with a stable ``code`` and a ``detail`` sentence that never echoes input."""

    def __init__(self, code: str, detail: str, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.faults = faults


class Malformed(KikuError):
    """The input cannot be read at all: broken JSON, an unknown parameter, a bad cursor."""


class Unauthenticated(KikuError):
    """No key, or one that does not stand."""


class Forbidden(KikuError):
    """The key is good; its scopes do not reach this far."""


class NotFound(KikuError):
    """Nothing (that the caller may see) is there."""


class Gone(KikuError):
    """It was there and will not come back."""


class Conflict(KikuError):
    """The input is fine; the state does not allow it."""


class Stale(KikuError):
    """The caller's version is not the current one; ``version`` is."""

    def __init__(self, version: int | None) -> None:
        super().__init__("draft-stale", "What is there is not the version named by If-Match.")
        self.version = version


class PreconditionRequired(KikuError):
    """A write that needs ``If-Match`` came without it."""


class Invalid(KikuError):
    """The input can be read but breaks rules; ``faults`` names every one of them.

    ``language``: that of the sentences, where the client could choose one.
    """

    def __init__(self, code: str, detail: str, faults: tuple[Fault, ...] = (), *, language: str | None = None) -> None:
        super().__init__(code, detail, faults)
        self.language = language


class BatchFailed(Invalid):
    """An operation of a batch was refused, and so nothing of the batch was done."""


class UnsupportedMediaType(KikuError):
    """The body is of a type this address does not take; ``accepted`` are those it does."""

    def __init__(self, detail: str, accepted: tuple[str, ...]) -> None:
        super().__init__("unsupported-media-type", detail)
        self.accepted = accepted


class TooLarge(KikuError):
    """The body is larger than this address takes, or asks for more at once."""


class NotAcceptable(KikuError):
    """None of the representations the client accepts is to be had."""


class TooMany(KikuError):
    """The caller has asked more often than it may; after ``retry_after_seconds`` it may again."""

    def __init__(self, code: str, detail: str, retry_after_seconds: int) -> None:
        super().__init__(code, detail)
        self.retry_after_seconds = retry_after_seconds


class Busy(KikuError):
    """The database is locked, full of waiters, or away; the same request may succeed later."""

    def __init__(self, detail: str, retry_after_seconds: int = 1) -> None:
        super().__init__("busy", detail)
        self.retry_after_seconds = retry_after_seconds
