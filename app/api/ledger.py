"""The ledger for editors: sources, publishers and tags, each listed, made, read, changed, merged, removed.

What of it readers see is in ``published_ledger.py``; what a change does to them in ``app/publishing/ledger.py``.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from app.articles import publishers, sources, tags
from app.articles.document import Shape
from app.articles.entries import (
    Entry,
    Kind,
    ManagedPublisher,
    ManagedPublisherList,
    ManagedSource,
    ManagedSourceList,
    ManagedTag,
    ManagedTagList,
    Merge,
    PublisherInput,
    SourceInput,
    TagInput,
)
from app.articles.fields import Host, Id, Name, Url
from app.database import Reader as Snapshot
from app.publishing import ledger
from app.publishing.ledger import Change, Of
from app.sync import jobs
from app.sync.jobs import Job
from app.validation import validated
from app.wire import answers, bodies, paging
from app.wire.caller import DraftReader, LedgerEditor
from app.wire.conditional import IfMatch
from app.wire.idempotency import IdempotentRoute
from app.wire.sessions import Reader, Writer

router = APIRouter(prefix="/v1/manage", tags=["ledger"], route_class=IdempotentRoute)

EntryPatch = Annotated[bodies.Patch, Depends(bodies.patch_body)]
MergeTarget = Annotated[Merge, Depends(bodies.json_body(Merge))]
_ID = "01a20952-730d-73de-8611-1d33b4d4b762"


class SourceListQuery(paging.ListQuery):
    """The filters of the list of sources."""

    url: Url | None = None
    publisher: Id | None = None


class PublisherListQuery(paging.ListQuery):
    """The filters of the list of publishers."""

    name: Name | None = None
    host: Host | None = None


@router.get("/sources", summary="List the ledger's sources", responses={200: {"model": ManagedSourceList}})
def list_sources(
    _: DraftReader, request: Request, query: Annotated[SourceListQuery, Query()], reader: Reader
) -> Response:
    """Every source of the ledger, cited or not, the newest first. `url` finds the one at an address, in any form.

    `publisher` is an id. Sources that were merged into another are left out; their addresses find that other.
    """
    filters = sources.Filters(query.url, query.publisher)
    bound = paging.bound_to("ledger-sources", query.url, query.publisher)
    after = paging.position(query.cursor, bound, (str,))
    found = sources.listed(reader, filters, after[0] if after else None, query.limit + 1)
    counted = paging.counted(query.count, lambda cap: sources.count(reader, filters, cap))
    return paging.answer(request, query, [(at, answers.encode(item)) for at, item in found], bound, counted)


@router.get("/publishers", summary="List the ledger's publishers", responses={200: {"model": ManagedPublisherList}})
def list_publishers(
    _: DraftReader, request: Request, query: Annotated[PublisherListQuery, Query()], reader: Reader
) -> Response:
    """Every publisher of the ledger by name.

    `name` finds the one that is called so, also as an alias; `host` the one that publishes there. Publishers that were
    merged into another are left out.
    """
    filters = publishers.Filters(query.name, query.host)
    bound = paging.bound_to("ledger-publishers", query.name, query.host)
    after = paging.position(query.cursor, bound, (str, str))
    found = publishers.listed(reader, filters, (after[0], after[1]) if after else None, query.limit + 1)
    counted = paging.counted(query.count, lambda cap: publishers.count(reader, filters, cap))
    return paging.answer(request, query, [(at, answers.encode(item)) for at, item in found], bound, counted)


@router.get("/tags", summary="List the ledger's tags", responses={200: {"model": ManagedTagList}})
def list_tags(
    _: DraftReader, request: Request, query: Annotated[paging.ListQuery, Query()], reader: Reader
) -> Response:
    """Every tag by its slug, borne or not; those that were merged into another are left out."""
    bound = paging.bound_to("ledger-tags")
    after = paging.position(query.cursor, bound, (str,))
    found = tags.listed(reader, after[0] if after else None, query.limit + 1)
    counted = paging.counted(query.count, lambda cap: tags.count(reader, cap))
    return paging.answer(request, query, [(at, answers.encode(item)) for at, item in found], bound, counted)


class Described(NamedTuple):
    """One kind of entry: what names it, its shapes, how it is made and found, and how a body of it may look."""

    kind: Kind
    named: Literal["id", "slug"]
    sent: type[Shape]
    answered: type[BaseModel]
    create: Callable[[Any, Any], Entry]
    load: Callable[[Snapshot, str], Entry]
    patch: dict[str, Any]
    example: str


def _hang_making(of: Described) -> None:
    """Hang creating, reading and removing an entry; the three kinds differ in nothing else."""
    key, sent = _key(of), Annotated[of.sent, Depends(bodies.json_body(of.sent))]

    def create(_: LedgerEditor, entry: sent, writer: Writer) -> Response:  # type: ignore[valid-type]
        """Make a new entry. Articles make what they name and the ledger lacks, so this is seldom needed."""
        made = of.create(writer, entry)
        return _answer(made, status=201, headers={"Location": _address(of, made.key)})

    def read(_: DraftReader, key: key, reader: Reader) -> Response:  # type: ignore[valid-type]
        """One entry with its version as ETag. One that was merged into another answers 308."""
        found = of.load(reader, key)
        if found.merged_into is None:
            return _answer(found)
        location = {"Location": _address(of, found.merged_into), "Cache-Control": "no-store"}
        return Response(status_code=308, headers=location)

    def remove(_: LedgerEditor, key: key, match: IfMatch, writer: Writer) -> Response:  # type: ignore[valid-type]
        """Remove an entry that nothing uses, neither a working copy nor a published article."""
        ledger.remove(writer, Of(of.kind, key), match)
        return Response(status_code=204)

    body, merged = bodies.openapi_body(of.sent), {308: {"description": "It was merged: see Location."}}
    made = {201: {"model": of.answered}}
    _hang(of, create, "POST", "", "create", status_code=201, responses=made, openapi_extra=body)
    _hang(of, read, "GET", _ONE, "read", responses={200: {"model": of.answered}, **merged})
    _hang(of, remove, "DELETE", _ONE, "remove", status_code=204)


def _hang_changing(of: Described) -> None:
    """Hang replacing, changing and merging an entry."""
    key, sent = _key(of), Annotated[of.sent, Depends(bodies.json_body(of.sent))]

    def replace(caller: LedgerEditor, key: key, match: IfMatch, entry: sent, writer: Writer) -> Response:  # type: ignore[valid-type]
        """Replace an entry; what is left out takes its default. Published articles that carry it show it at once.

        Needs scope `publish` where a published article carries it. No working copy gets a new version by it.
        """
        demand = partial(caller.require, "publish")
        return _changed(ledger.change(writer, Of(of.kind, key), match, lambda _: entry, demand))

    def change(caller: LedgerEditor, key: key, match: IfMatch, patch: EntryPatch, writer: Writer) -> Response:  # type: ignore[valid-type]
        """Change an entry: JSON Merge Patch (RFC 7396) or JSON Patch (RFC 6902); else as replacing it."""

        def edit(stored: dict[str, Any]) -> Shape:
            return validated(of.sent, bodies.apply(patch, stored))

        return _changed(ledger.change(writer, Of(of.kind, key), match, edit, partial(caller.require, "publish")))

    def merge(caller: LedgerEditor, key: key, match: IfMatch, target: MergeTarget, writer: Writer) -> Response:  # type: ignore[valid-type]
        """Let an entry be one with another, which is answered: whoever names the one gets the other from now on.

        Needs scope `publish` where a published article carries either. The old address answers 308.
        """
        demand = partial(caller.require, "publish")
        return _changed(ledger.merge(writer, Of(of.kind, key), target.into, match, demand))

    described: dict[int | str, dict[str, Any]] = {
        200: {"model": of.answered},
        202: {"model": Job, "description": "Too many articles carry it for one transaction: see the job."},
    }
    into = bodies.openapi_body(Merge, examples={"例": {"into": of.example}})
    body, patched = bodies.openapi_body(of.sent), bodies.openapi_patch({"例": of.patch})
    _hang(of, replace, "PUT", _ONE, "replace", responses=described, openapi_extra=body)
    _hang(of, change, "PATCH", _ONE, "change", responses=described, openapi_extra=patched)
    _hang(of, merge, "POST", f"{_ONE}/merge", "merge", responses=described, openapi_extra=into)


_ONE = "/{key}"


def _key(of: Described) -> Any:
    return Annotated[str, Path(alias=of.named)]


def _hang(of: Described, endpoint: Callable[..., Response], method: str, path: str, verb: str, **options: Any) -> None:
    router.add_api_route(
        f"/{of.kind}s{path}".replace("{key}", f"{{{of.named}}}"),
        endpoint,
        methods=[method],
        name=f"{verb}_{of.kind}",
        summary=f"{verb.capitalize()} a {of.kind}",
        **options,
    )


def _address(of: Described, key: str) -> str:
    return f"{router.prefix}/{of.kind}s/{quote(key)}"


def _answer(entry: Entry, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return answers.resource(entry.resource, entry.version, status=status, headers=headers)


def _changed(change: Change) -> Response:
    if change.job is None:
        return _answer(change.entry)
    location = {"Location": f"{router.prefix}/jobs/{change.job.id}"}
    return answers.resource(change.job.resource(), None, status=202, headers=location)


@router.get("/jobs/{id}", summary="Read a job", responses={200: {"model": Job}})
def read_job(_: DraftReader, id: str, reader: Reader) -> Response:
    """Work that outlives its request: how far it is, and what came of it."""
    return answers.resource(jobs.load(reader, id).resource(), None)


SOURCE = Described(
    "source", "id", SourceInput, ManagedSource, sources.create, sources.load, {"title": "千輪咲き、今年も公開"}, _ID
)
PUBLISHER = Described(
    "publisher", "id", PublisherInput, ManagedPublisher, publishers.create, publishers.load, {"aliases": ["菊"]}, _ID
)
TAG = Described("tag", "slug", TagInput, ManagedTag, tags.create, tags.load, {"name": "菊"}, "菊")
for _each in (SOURCE, PUBLISHER, TAG):
    _hang_making(_each)
    _hang_changing(_each)
