"""Feeds of what was published last, and the sitemap. GET only, cacheable.

The feed that mirrors follow is in ``sync.py``.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import quote, urlencode
from uuid import NAMESPACE_URL, uuid5

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from app.articles import site
from app.articles.fields import Id, Language, Slug
from app.articles.site import StoredSite
from app.database import Reader as Snapshot
from app.delivery import collection_lists, syndication
from app.delivery.syndication import Listed
from app.errors import NotFound
from app.formats import addresses, feeds, sitemap
from app.formats.feeds import Feed, Format
from app.settings import Settings
from app.sync import changes
from app.wire import conditional
from app.wire.caller import PublicReader
from app.wire.reads import Read
from app.wire.sessions import Reader

router = APIRouter(tags=["reading"], route_class=Read)

ENTRIES = 20
"""How many articles a feed tells of."""
NEVER = "1970-01-01T00:00:00.000Z"
"""When a feed was last changed in which there never was anything."""
_MEDIA_TYPES: dict[Format, str] = {
    "atom": "application/atom+xml",
    "rss": "application/rss+xml",
    "json": "application/feed+json",
}
MERGED: dict[int | str, dict[str, Any]] = {
    **conditional.UNCHANGED,
    308: {"description": "The collection was merged: see Location."},
    404: {"description": "There is no such collection."},
}


class FeedQuery(BaseModel):
    """What a feed tells of; without any of these: of everything."""

    model_config = ConfigDict(extra="forbid")

    tag: Slug | None = None
    collection: Annotated[Slug | None, Field(description="Its slug or id; the feed then has its order.")] = None
    language: Language | None = None


class SitemapQuery(BaseModel):
    """Which part of the sitemap; without: the whole one, or the index of its parts."""

    model_config = ConfigDict(extra="forbid")

    part: Annotated[Id | None, Field(description="The id of the part's first article, as the index names it.")] = None


def _content(media_type: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {media_type: {"schema": {"type": "string"}}}}}


@router.get(
    "/feeds/atom.xml",
    summary="Read the Atom feed",
    response_class=Response,
    responses={**_content("application/atom+xml"), **MERGED},
)
def read_atom_feed(_: PublicReader, request: Request, query: Annotated[FeedQuery, Query()], reader: Reader) -> Response:
    """The 20 articles published last as Atom (RFC 4287), or those of a tag, a language, a collection in its order.

    An entry's id stays the same for ever; `updated` is when it was last revised. Links lead to an article's
    `canonical_url`, else to its slug below the site's `base_url`, else to its HTML here.
    """
    return _feed(request, query, reader, "atom")


@router.get(
    "/feeds/rss.xml",
    summary="Read the RSS feed",
    response_class=Response,
    responses={**_content("application/rss+xml"), **MERGED},
)
def read_rss_feed(_: PublicReader, request: Request, query: Annotated[FeedQuery, Query()], reader: Reader) -> Response:
    """The same as RSS 2.0."""
    return _feed(request, query, reader, "rss")


@router.get(
    "/feeds/feed.json",
    summary="Read the JSON feed",
    response_class=Response,
    responses={200: {"content": {"application/feed+json": {"schema": {"type": "object"}}}}, **MERGED},
)
def read_json_feed(_: PublicReader, request: Request, query: Annotated[FeedQuery, Query()], reader: Reader) -> Response:
    """The same as JSON Feed 1.1."""
    return _feed(request, query, reader, "json")


@router.get(
    "/sitemap.xml",
    summary="Read the sitemap",
    response_class=Response,
    responses={
        **_content("application/xml"),
        **conditional.UNCHANGED,
        404: {"description": "There is no such part."},
    },
)
def read_sitemap(
    _: PublicReader, request: Request, query: Annotated[SitemapQuery, Query()], reader: Reader
) -> Response:
    """Where each published article is read, when it was revised, and its translations; `noindex` articles are left out.

    Of more than 5,000 articles it is the index of parts, each with at most so many.
    """
    stored = site.load(reader)
    root = _root(request)

    def build() -> tuple[bytes, dict[str, str]]:
        parts = syndication.parts(reader, syndication.PART)
        if query.part is None and len(parts) > 1:
            return sitemap.of_parts([(f"{root}/sitemap.xml?part={id}", at) for id, at in parts]), {}
        first = query.part or (parts[0][0] if parts else None)
        if query.part is not None and query.part not in dict(parts):
            raise NotFound("part-unknown", "The sitemap has no such part now; its index names those there are.")
        found = [] if first is None else syndication.listed(reader, first, syndication.PART)
        return sitemap.of_articles(_listed(reader, found, stored, root)), {}

    return conditional.lazy(
        request,
        _etag(f"{root}/sitemap.xml", query, changes.state(reader), stored.version),
        build,
        media_type="application/xml",
        vary=_vary(request),
        surrogate_keys="articles site",
    )


def _feed(request: Request, query: FeedQuery, reader: Snapshot, format: Format) -> Response:
    stored = site.load(reader)
    collection = None
    if query.collection is not None:
        collection = collection_lists.find(reader, query.collection)
        if collection is None:
            return _elsewhere(request, query, reader, query.collection)
    inside = None if collection is None else collection.id
    version, keys = (None, "") if collection is None else (collection.version, " collections")
    root, state = _root(request), changes.state(reader)
    asked = query.model_dump(exclude_none=True)  # in the order of the fields, however it was asked
    address = f"{root}{request.scope['path']}" + (f"?{urlencode(asked)}" if asked else "")

    def build() -> tuple[bytes, dict[str, str]]:
        found = syndication.latest(reader, query.tag, query.language, inside, ENTRIES)
        about = [collection and collection.said["title"], query.tag, query.language]
        feed = Feed(
            id=_id(state[0], query.tag, query.language, inside),
            address=address,
            root=root,
            about=" · ".join(part for part in about if part),
            language=query.language or stored.document.default_language,
            updated=changes.changed_at(reader) or NEVER,
            site=stored.document.model_dump(),
            articles=found,
        )
        return feeds.written(feed, format), {}

    return conditional.lazy(
        request,
        _etag(address, state, stored.version, version),
        build,
        media_type=_MEDIA_TYPES[format],
        vary=_vary(request),
        surrogate_keys=f"articles site{keys}",
    )


def _elsewhere(request: Request, query: FeedQuery, reader: Snapshot, collection: str) -> Response:
    """308 to the feed of the collection into which this one was merged. Raises: NotFound."""
    now = collection_lists.moved_to(reader, collection)
    if now is None:
        raise NotFound("collection-unknown", "There is no such collection.")
    asked = query.model_copy(update={"collection": now}).model_dump(exclude_none=True)
    location = f"{quote(request.scope['path'])}?{urlencode(asked)}"
    kept = {"Cache-Control": conditional.CACHE_CONTROL, "Surrogate-Key": "collections"}
    return Response(status_code=308, headers={"Location": location, **kept})


def _listed(
    reader: Snapshot, found: list[Listed], stored: StoredSite, root: str
) -> Iterator[tuple[str, str, dict[str, str]]]:
    said = stored.document.model_dump()
    others = syndication.translations(reader, found[0].id, found[-1].id) if found else {}
    for article in found:
        if article.noindex:
            continue
        alike = [each for each in others.get(article.translation_key or "", ()) if not each.noindex]
        clear = _one_each(alike)
        told = article in clear and len(clear) > 1
        alternates = {each.language: addresses.of_article(each._asdict(), said, root) for each in clear if told}
        if said["default_language"] in alternates:
            alternates["x-default"] = alternates[said["default_language"]]
        yield addresses.of_article(article._asdict(), said, root), article.revised_at, alternates


def _one_each(articles: list[Listed]) -> list[Listed]:
    """Those whose language no other has: of two that claim to be the same translation neither can be told to be it."""
    languages = Counter(article.language for article in articles)
    return [article for article in articles if languages[article.language] == 1]


def _id(epoch: str, *asked: str | None) -> str:
    """The name for ever of what is asked for here: the same whatever the address by which it was reached."""
    return f"urn:uuid:{uuid5(NAMESPACE_URL, json.dumps([epoch, *asked]))}"


def _root(request: Request) -> str:
    """The origin of this server: the addresses in feeds have to be whole ones."""
    settings: Settings = request.app.state.settings
    return settings.public_url or str(request.base_url).rstrip("/")


def _vary(request: Request) -> str | None:
    """Where the client names the origin, no cache may give what one host was told to those who asked another."""
    settings: Settings = request.app.state.settings
    return None if settings.public_url is not None else "Host"


def _etag(*state: object) -> str:
    """The tag of the copy that says this ``state``."""
    return conditional.digest(repr(state).encode("utf-8", "surrogatepass"))
