"""What of a resource a client gets: its rendition by suffix, else by ``Accept``; the language of what Kiku itself says.

The renditions themselves are written in ``app/formats``, the sentences in the rooms that say them.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeVar

from fastapi import Depends, Header
from starlette.requests import Request

from app.errors import NotAcceptable

Rendition = Literal["json", "txt", "md", "html", "jsonld"]
Language = Literal["en", "ja"]
T = TypeVar("T", bound=str)
MEDIA_TYPES: Mapping[Rendition, str] = {
    "json": "application/json",
    "txt": "text/plain",
    "md": "text/markdown",
    "html": "text/html",
    "jsonld": "application/ld+json",
}
"""What can be had, the default first."""
WRITTEN: Mapping[str, Any] = {
    media_type: {"schema": {"type": "object" if rendition == "jsonld" else "string"}}
    for rendition, media_type in MEDIA_TYPES.items()
    if rendition != "json"
}
"""The renditions beside the default, as OpenAPI describes what an answer holds."""

LANGUAGES: Mapping[str, Language] = {"en": "en", "ja": "ja"}
"""Those of Kiku's own sentences, the default first."""
REMEMBERED = 500
"""Headers of so many characters are remembered; a longer one is only meant to fill the memory."""
VARY = "Accept, Accept-Encoding"
"""What the copy that is sent depends on."""


def split(last_segment: str) -> tuple[str, Rendition | None]:
    """The key and the rendition that the last segment of an address names by its suffix, if any."""
    for rendition in MEDIA_TYPES:
        key = last_segment.removesuffix(f".{rendition}")
        if key != last_segment:
            return key, rendition
    return last_segment, None


def chosen(request: Request, by_suffix: Rendition | None) -> Rendition:
    """The rendition to answer with; a suffix beats ``Accept``.

    Raises: NotAcceptable. Source: RFC 9110, 12.5.1.
    """
    if by_suffix is not None:
        return by_suffix
    best = preferred(_accept(request))
    if best is None:
        raise _not_acceptable(MEDIA_TYPES.values())
    return best


def liked(request: Request, offers: Mapping[str, T]) -> T:
    """Of what is to be had by media type, the default first, what the client likes best; ``offers`` may name it twice.

    Raises: NotAcceptable.
    """
    accept = _accept(request) or "*/*"
    best = max(offers, key=lambda media_type: _weight(accept, media_type))
    if _weight(accept, best) <= 0:
        raise _not_acceptable(offers)
    return offers[best]


def _accept(request: Request) -> str:
    """What the client accepts, in however many lines it says so. Source: RFC 9110, 5.3."""
    return ", ".join(request.headers.getlist("accept"))


def _not_acceptable(media_types: Iterable[str]) -> NotAcceptable:
    return NotAcceptable("not-acceptable", f"To be had here: {', '.join(media_types)}.")


def preferred(accept: str) -> Rendition | None:
    """The rendition that a client with this ``Accept`` likes best, the default where it says nothing; None: none."""
    return _preferred(accept) if len(accept) <= REMEMBERED else _preferred.__wrapped__(accept)


# Clients send few different headers: each is read once.
@lru_cache(maxsize=64)
def _preferred(accept: str) -> Rendition | None:
    if not accept:
        return "json"
    weights = {rendition: _weight(accept, media_type) for rendition, media_type in MEDIA_TYPES.items()}
    best = max(MEDIA_TYPES, key=lambda rendition: weights[rendition])
    return best if weights[best] > 0 else None


def language(accept_language: str) -> Language:
    """The language of Kiku's sentences that a client likes best; English where it says nothing, or likes neither.

    A range stands for what is more special, too: who asks for ``ja-JP`` reads ``ja``. Of two liked alike the first
    named is taken. Source: RFC 9110, 12.5.4; RFC 4647, 3.4.
    """
    found = _qualities(accept_language)
    weights: dict[Language, float] = {}
    for name, quality in found.items():
        known = LANGUAGES.get(name.partition("-")[0])
        if known is not None:
            weights[known] = max(quality, weights.get(known, 0.0))
    weights |= {known: found.get("*", 0.0) for known in LANGUAGES.values() if known not in weights}
    best = max(weights, key=lambda known: weights[known])
    return best if weights[best] > 0 else "en"


def said_in(spoken: str) -> dict[str, str]:
    """The headers of an answer whose sentences are in the language that ``Accept-Language`` chose."""
    return {"Content-Language": spoken, "Vary": "Accept-Language"}


def _chosen_language(
    accept_language: Annotated[
        str, Header(alias="Accept-Language", description="The language of sentences: `ja` or `en`, the default.")
    ] = "",
) -> Language:
    return language(accept_language)


Spoken = Annotated[Language, Depends(_chosen_language)]
"""The language in which a route tells its findings."""


def takes_gzip(request: Request) -> bool:
    """Whether the client takes a gzip copy in place of the identity bytes."""
    return gzip_taken(request.headers.get("accept-encoding", ""))


def gzip_taken(accept_encoding: str) -> bool:
    """Whether a client that sends this ``Accept-Encoding`` takes gzip, and likes it no less than identity."""
    taken = _gzip_taken if len(accept_encoding) <= REMEMBERED else _gzip_taken.__wrapped__
    return taken(accept_encoding)


@lru_cache(maxsize=64)
def _gzip_taken(accept_encoding: str) -> bool:
    gzip = _weight(accept_encoding, "gzip") if "gzip" in accept_encoding or "*" in accept_encoding else 0.0
    return gzip > 0 and gzip >= _weight(accept_encoding, "identity")


def _weight(accept: str, media_type: str) -> float:
    """The quality a header gives a media type or coding; the most specific range decides."""
    found = _qualities(accept)
    ranges = (media_type, f"{media_type.partition('/')[0]}/*", "*/*", "*")
    return next((found[name] for name in ranges if name in found), 0.0)


def _qualities(header: str) -> dict[str, float]:
    """What each range of an ``Accept…`` header is worth."""
    found: dict[str, float] = {}
    for part in header.split(","):
        accepted, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
        try:
            said = float(quality)
        except ValueError:
            said = 0.0
        found[accepted] = said if 0 <= said <= 1 else 0.0  # nor is it a number that float takes for one: nan
    return found
