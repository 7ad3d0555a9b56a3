"""The kinds of value a document is made of: texts, ids, addresses, dates, each with its rule and size.

The document itself is in ``document.py``; rules that need the database are in the owner modules.
"""

import re
import unicodedata
from datetime import date, datetime
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import idna
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError
from uuid_utils import uuid7

from app import text

URL_CHARACTERS = 2048
"""The longest address taken, in characters."""
NAME_CHARACTERS = 500
"""The longest name taken, in characters; a publisher's also as it is found (NFKC), which an index holds."""

_LANGUAGE = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$"
_EXTERNAL_ID = r"^[A-Za-z0-9._~-]{1,200}$"
_PARTIAL_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_NOT_IN_URL = re.compile(r"[\x00-\x20\x7f\\]")
RENDITIONS = ("json", "md", "txt", "html", "jsonld")
"""The suffixes an article's and a page's address may carry."""


def _clean(value: str) -> str:
    reason = text.hostile(value)
    if reason is not None:
        raise PydanticCustomError("text-refused", "{reason}", {"reason": reason})
    return value


def _findable(value: str) -> str:
    if len(unicodedata.normalize("NFKC", value)) > NAME_CHARACTERS:  # one character may stand for eighteen
        message = "With its composed characters written out (NFKC) a publisher's name has at most 500 characters."
        raise PydanticCustomError("name-too-long", message)
    return value


def _id(value: str) -> str:
    if not text.uuid_shaped(value):
        raise PydanticCustomError("id-invalid", "An id is a UUID of 36 characters.")
    return value.lower()


def _slug(value: str) -> str:
    slug = text.slug(_clean(value))
    if slug is None:
        raise PydanticCustomError("slug-invalid", "A slug is 1 to 120 letters, marks, digits and hyphens.")
    return slug


def web_url(value: str) -> str:
    """``value`` where it is an address Kiku stores: http(s), a host, no credentials, controls or backslashes.

    Raises: PydanticCustomError (``url-invalid``), which validation turns into a fault with a pointer.
    """
    if not _is_web_url(_clean(value)):
        message = "An address begins with http:// or https://, names a host and carries no credentials or spaces."
        raise PydanticCustomError("url-invalid", message)
    return value


def _is_web_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
        if not host.isascii():
            idna.encode(host, uts46=True)
        _ = parts.port  # parsed on access: a port out of range raises
    except (ValueError, UnicodeError):
        return False
    schemed = parts.scheme.lower() in {"http", "https"}
    return schemed and bool(host) and "@" not in parts.netloc and not _NOT_IN_URL.search(value)


def _partial_date(value: str) -> str:
    found = _PARTIAL_DATE.fullmatch(value)
    try:
        year, month, day = (int(part or 1) for part in found.groups()) if found else (0, 0, 0)
        date(year, month, day)
    except ValueError:
        raise PydanticCustomError("date-invalid", "A date is 2024, 2024-11 or 2024-11-30.") from None
    return value


def _instant(value: str) -> str:
    try:
        parsed = datetime.fromisoformat(value)
        instant = text.instant(parsed)
    except (ValueError, OverflowError):
        parsed, instant = None, ""
    if parsed is None or parsed.tzinfo is None or not _RFC3339.fullmatch(value):
        raise PydanticCustomError("instant-invalid", "An instant is an RFC 3339 time with its offset.")
    return instant


def _external_id(value: str) -> str:
    if value.endswith(tuple(f".{suffix}" for suffix in RENDITIONS)):
        raise PydanticCustomError("external-id-invalid", "An external id does not end in a rendition suffix.")
    return value


def _language(value: str) -> str:
    """One spelling a language (RFC 5646, 2.1.1): ``ja``, ``zh-Hant``, ``en-US``."""
    first, *rest = value.lower().split("-")
    shapes = {len("Hant"): str.title, len("US"): str.upper}
    return "-".join([first, *(shapes.get(len(part), str.lower)(part) for part in rest)])


def _timezone(value: str) -> str:
    if value not in available_timezones():
        raise PydanticCustomError("timezone-invalid", "A timezone is a name of the IANA database, like Asia/Tokyo.")
    return value


def _href(value: str) -> str:
    scheme = urlsplit(_clean(value)).scheme if ":" in value else ""
    if _NOT_IN_URL.search(value) or scheme not in {"", "http", "https", "mailto", "tel"}:
        raise PydanticCustomError("url-invalid", "A link is a path or an address of http(s), mailto or tel.")
    return value


def _host(value: str) -> str:
    address = f"https://{_clean(value)}"
    if not _is_web_url(address) or urlsplit(address).hostname != value.lower():
        raise PydanticCustomError("host-invalid", "A host is a domain name, without scheme, port and path.")
    host = value.lower().rstrip(".")
    return host if host.isascii() else idna.encode(host, uts46=True).decode()


def _anchor(value: str) -> str:
    if any(character.isspace() for character in value):
        raise PydanticCustomError("anchor-invalid", "An anchor has no spaces.")
    return _clean(value)


Name = Annotated[str, Field(max_length=NAME_CHARACTERS), AfterValidator(_clean)]
"""A name or another short line."""
PublisherName = Annotated[Name, AfterValidator(_findable)]
"""A name by which a publisher is found."""
Line = Annotated[str, Field(max_length=2_000), AfterValidator(_clean)]
"""A title, heading, question or label."""
Passage = Annotated[str, Field(max_length=20_000), AfterValidator(_clean)]
"""Plain text of some sentences: a lead, a key point."""
Markdown = Annotated[str, Field(max_length=500_000), AfterValidator(_clean)]
"""CommonMark, paragraphs separated by a blank line."""
Reason = Annotated[str, Field(max_length=500, pattern=r"\S"), AfterValidator(_clean)]
"""Why something was done; not blank."""
Id = Annotated[str, Field(json_schema_extra={"format": "uuid"}), AfterValidator(_id)]
Slug = Annotated[str, Field(max_length=500), AfterValidator(_slug)]
Anchor = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_anchor)]
Url = Annotated[str, Field(max_length=URL_CHARACTERS, json_schema_extra={"format": "iri"}), AfterValidator(web_url)]
Language = Annotated[str, Field(pattern=_LANGUAGE, max_length=35), AfterValidator(_language)]
Timezone = Annotated[str, Field(max_length=64), AfterValidator(_timezone)]
Href = Annotated[str, Field(max_length=URL_CHARACTERS), AfterValidator(_href)]
Host = Annotated[str, Field(max_length=253), AfterValidator(_host)]
"""A domain name, kept as lower-case IDNA."""
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
"""A country by its two letters (ISO 3166-1)."""
PartialDate = Annotated[str, Field(max_length=10), AfterValidator(_partial_date)]
Instant = Annotated[str, Field(max_length=40, json_schema_extra={"format": "date-time"}), AfterValidator(_instant)]
TranslationKey = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_clean)]
ExternalSystem = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")]
ExternalId = Annotated[str, Field(pattern=_EXTERNAL_ID), AfterValidator(_external_id)]
Pixels = Annotated[int, Field(ge=1, le=100_000)]
LabelName = Literal[
    "masthead",
    "takeaways_heading",
    "takeaway_marker",
    "key_point_marker",
    "published_on",
    "read_more",
    "source_credit",
    "next_page",
]
Labels = dict[LabelName, Line]
"""Labels by name, only those that differ from the site's."""
SourceType = Literal[
    "article", "article-journal", "article-magazine", "article-newspaper", "bill", "book", "broadcast", "chapter",
    "classic", "collection", "dataset", "document", "entry", "entry-dictionary", "entry-encyclopedia", "event",
    "figure", "graphic", "hearing", "interview", "legal_case", "legislation", "manuscript", "map", "motion_picture",
    "musical_score", "pamphlet", "paper-conference", "patent", "performance", "periodical", "personal_communication",
    "post", "post-weblog", "regulation", "report", "review", "review-book", "software", "song", "speech", "standard",
    "thesis", "treaty", "webpage",
]  # fmt: skip
"""The item types of CSL 1.0.2."""
Status = Literal["draft", "published", "unpublished", "archived", "trashed"]


def new_id() -> str:
    """A fresh UUIDv7: ids of one process sort by the time they were made."""
    return str(uuid7())
