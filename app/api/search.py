"""Finding published articles and their parts: search, suggestions, related articles. GET only, cacheable.

How words are found is decided in ``app/search``; lists that take a query beside their filters are in ``published_*``.
"""

from collections.abc import Callable
from dataclasses import asdict, astuple
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError
from starlette.requests import Request
from starlette.responses import Response

from app import text
from app.articles.fields import Id, Instant, Language, Slug
from app.database import Reader as Snapshot
from app.delivery import schemas, snapshots
from app.delivery.part_lists import Filters
from app.delivery.shapes import encode
from app.errors import NotFound
from app.search import answers, index, related, suggestions
from app.search import facets as counts
from app.search import query as queries
from app.search.answers import Articles, Asked, Parts, Position
from app.search.fields import Part
from app.wire import conditional, paging, public_lists
from app.wire.caller import PublicReader
from app.wire.reads import Read
from app.wire.sessions import Reader, Searcher

router = APIRouter(prefix="/v1", tags=["reading"], route_class=Read)

ELSEWHERE: dict[int | str, dict[str, Any]] = {
    **conditional.UNCHANGED,
    308: {"description": "An old slug: see Location."},
}
_PARTS: dict[str, Part] = {"sections": "section", "key_points": "key_point", "sources": "source"}


def _known(value: str) -> str:
    if not set(value.split(",")) <= set(counts.FACETS):
        raise PydanticCustomError("facet-unknown", "A facet is one of {known}.", {"known": ", ".join(counts.FACETS)})
    return value


class SearchQuery(paging.PageQuery):
    """What is looked for, in what, and among which articles."""

    q: queries.SearchText
    within: Annotated[
        Literal["articles", "sections", "key_points", "sources"], Field(alias="in", description="What is found.")
    ] = "articles"
    article: Id | None = None
    tag: Slug | None = None
    publisher: Id | None = None
    source: Id | None = None
    language: Language | None = None
    published_after: Instant | None = None
    published_before: Instant | None = None
    facets: Annotated[
        str | None,
        AfterValidator(_known),
        Field(description="Also count by these, by comma: `tag`, `publisher`, `language`, `year`."),
    ] = None

    def counted_by(self) -> list[index.Facet]:
        """The facets that are asked for."""
        wanted = (self.facets or "").split(",")
        return [facet for facet in counts.FACETS if facet in wanted]

    def filters(self) -> Filters:
        """The filters alone."""
        return Filters(
            self.article, self.tag, self.publisher, self.source,
            self.language, self.published_after, self.published_before,
        )  # fmt: skip


class SuggestQuery(BaseModel):
    """What was typed so far."""

    model_config = ConfigDict(extra="forbid")

    q: queries.SearchText
    limit: Annotated[int, Field(ge=1, le=20)] = 10


class RelatedQuery(BaseModel):
    """How many related articles are wanted."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=20)] = 5


@router.get(
    "/search",
    summary="Search",
    responses={200: {"model": schemas.FoundList}, **conditional.UNCHANGED, **queries.REFUSED},
)
def search(_: PublicReader, request: Request, query: Annotated[SearchQuery, Query()], reader: Searcher) -> Response:
    """Published articles, or with `in` their sections, key points or sources, in which the words of `q` stand.

    The best come first. One word, or a phrase in quotes, finds all there are; of several words those articles are
    found that have most of what is rare among them; `total` says `gte` where there may be more. Each item shows up to
    three places: `pointer` leads into the article as `GET /v1/articles/{id}` answers it, `excerpt` is HTML in which
    only `<mark>` stands unescaped, `highlights` are [start, end) in code points of the whole text at `pointer`.
    `did_you_mean` is given where nothing is found and a word is near. Filters are about the article; of parts,
    `publisher` and `source` are those of the part.
    """
    filters = query.filters()
    bound = paging.bound_to("search", query.q, query.within, *astuple(filters))
    after = paging.position(query.cursor, bound, answers.POSITION)

    counted = bool(query.facets)

    def find(q: str, behind: Position | None, limit: int) -> Articles | Parts:
        asked = Asked.read(reader, q, filters, behind, limit)
        part = _PARTS.get(query.within)
        if part is None:
            return Articles(reader, asked, counted=counted)
        return Parts(reader, asked, part, counted=counted)

    def build() -> tuple[bytes, dict[str, str]]:
        with answers.bounded(reader):
            found = find(query.q, after, query.limit + 1)
            total = found.total()
            facets = counts.count(reader, found.numbers(), query.counted_by()) if counted else None
            meant = suggestions.meant(reader, query.q) if total.value == 0 else None
            if meant is not None and find(meant, None, 1).total().value == 0:
                meant = None  # it stands somewhere, but not where this was looked for
            items = found.items(query.limit)
        beside = {"total": asdict(total), "facets": facets, "did_you_mean": meant}
        return paging.page(request.scope, items, bound, limit=query.limit, fields=query.fields, beside=beside)

    return _answer(request, reader, build)


@router.get(
    "/search/suggest",
    summary="Suggest words",
    responses={200: {"model": schemas.SuggestionList}, **conditional.UNCHANGED, **queries.REFUSED},
)
def suggest(_: PublicReader, request: Request, query: Annotated[SuggestQuery, Query()], reader: Reader) -> Response:
    """Nouns of published articles that begin with `q`, or are read so: `じょう` and `条` both suggest `条約`.

    Those that stand in the most articles come first; `reading` is in katakana.
    """

    def build() -> tuple[bytes, dict[str, str]]:
        return encode({"items": suggestions.suggest(reader, query.q, query.limit)}), {}

    return _answer(request, reader, build)


@router.get(
    "/articles/{key}/related",
    summary="List related articles",
    responses={200: {"model": schemas.RelatedList}, **ELSEWHERE},
)
def list_related(
    _: PublicReader, request: Request, key: str, query: Annotated[RelatedQuery, Query()], reader: Searcher
) -> Response:
    """Published articles about the same as this one, the most alike first, with what they have in common.

    `terms` are the words that stand in both and in few others, in their normalised forms.
    """
    here = snapshots.find_etag(reader, key)
    if here is None:
        now = snapshots.moved_to(reader, text.slug(key) or key)
        if now is None:
            raise NotFound("article-unknown", "Nothing published is at this address.")
        return conditional.moved(request, f"/v1/articles/{key}", f"/v1/articles/{now}", surrogate_keys="articles")
    article_id, _etag = here

    def build() -> tuple[bytes, dict[str, str]]:
        with answers.bounded(reader):
            return b'{"items":[' + b",".join(related.find(reader, article_id, query.limit)) + b"]}", {}

    return _answer(request, reader, build)


def _answer(request: Request, reader: Snapshot, build: Callable[[], tuple[bytes, dict[str, str]]]) -> Response:
    # The same until something is published, or words are counted anew: both change what is found, and its order.
    found_by = index.state(reader)
    tag = public_lists.etag(request.scope, found_by)
    kept = conditional.until(settled=found_by.settled)
    # Publishers' names and sources' titles are the ledger's, who counts by them or gives them as a reason.
    return conditional.lazy(request, tag, build, cache_control=kept, surrogate_keys="articles publishers sources")
