"""Feeds of what was published last, and the sitemap. GET only, cacheable.

The feed that mirrors follow is in ``sync.py``.
"""

from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import quote, urlencode

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
from app.sync import changes
from app.wire import conditional
from app.wire.caller import PublicReader
from app.wire.sessions import Reader

router = APIRouter(tags=["reading"])

ENTRIES = 20
"""How many articles a feed tells of."""
_MEDIA_TYPES: dict[Format, str] = {
    "atom": "application/atom+xml",
    "rss": "application/rss+xml",
    "json": "application/feed+json",
}
UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "The client has it already."}}
MERGED: dict[int | str, dict[str, Any]] = {
    **UNCHANGED,
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
    responses={**_content("application/xml"), **UNCHANGED},
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
        parts = [(query.part, "")] if query.part is not None else syndication.parts(reader, syndication.PART)
        if len(parts) > 1:
            return sitemap.of_parts([(f"{root}/sitemap.xml?part={id}", at) for id, at in parts]), {}
        found = syndication.listed(reader, parts[0][0], syndication.PART) if parts else []
        return sitemap.of_articles(_listed(reader, found, stored, root)), {}

    return conditional.lazy(
        request,
        _etag(request, changes.state(reader), stored.version),
        build,
        media_type="application/xml",
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

    def build() -> tuple[bytes, dict[str, str]]:
        found = syndication.latest(reader, query.tag, query.language, inside, ENTRIES)
        about = [collection and collection.said["title"], query.tag, query.language]
        feed = Feed(
            address=str(request.url),
            root=_root(request),
            about=" · ".join(part for part in about if part),
            language=query.language or stored.document.default_language,
            site=stored.document.model_dump(),
            articles=found,
        )
        return feeds.written(feed, format), {}

    return conditional.lazy(
        request,
        _etag(request, changes.state(reader), stored.version, version),
        build,
        media_type=_MEDIA_TYPES[format],
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

    def address(article: Listed) -> str:
        return addresses.of_article(article._asdict(), said, root) or root

    others = syndication.translations(reader, found[0].id, found[-1].id) if found else {}
    for article in found:
        if article.noindex:
            continue
        alike = [each for each in others.get(article.translation_key or "", ()) if not each.noindex]
        translations = {each.language: address(each) for each in alike} if len(alike) > 1 else {}
        yield address(article), article.revised_at, translations


def _root(request: Request) -> str:
    """The origin by which the client came: the addresses of this server have to be whole ones in feeds."""
    return str(request.base_url).rstrip("/")


def _etag(request: Request, *state: object) -> str:
    """The tag of the copy at this address while ``state`` stands."""
    return conditional.digest(f"{state} {request.url}".encode("utf-8", "surrogatepass"))
