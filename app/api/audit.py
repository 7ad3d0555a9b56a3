"""The audit for administrators: who did what to which object, the latest first.

What is recorded, and when, is said where it is done; the rows are in ``app/access/audit.py``.
"""

from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from app.access import audit
from app.articles.fields import Instant
from app.wire import answers, paging
from app.wire.caller import Admin
from app.wire.sessions import Reader

router = APIRouter(prefix="/v1/manage/audit", tags=["audit"])

Kind = Literal["article", "source", "publisher", "tag", "site", "key", "collection", "preview-link", "webhook"]
Text = Annotated[str, Field(max_length=200)]


class AuditEntry(BaseModel):
    """One thing that was done; ``key_id`` is null where the command line or the worker did it."""

    id: int
    at: str
    key_id: str | None
    action: str
    object_kind: str
    object_id: str
    version_before: int | None
    version_after: int | None
    request_id: str | None
    address_hash: str | None
    reason: str | None


class AuditList(BaseModel):
    """A page of the audit."""

    items: list[AuditEntry]
    next: str | None


class AuditQuery(paging.PageQuery):
    """The filters of the audit; instants are inclusive."""

    key: Annotated[Text | None, Field(description="The id of the API key that did it.")] = None
    action: Annotated[Text | None, Field(description="`article.published`, for example.")] = None
    object_kind: Kind | None = None
    object_id: Text | None = None
    request_id: Text | None = None
    after: Instant | None = None
    before: Instant | None = None


@router.get("", summary="List what was done", responses={200: {"model": AuditList}})
def list_audit(_: Admin, request: Request, query: Annotated[AuditQuery, Query()], reader: Reader) -> Response:
    """Who did what to which object, from which version to which, the latest first; never a text that was written.

    `address_hash` is the same for the same client address and tells nothing else about it. `reason` is what
    `Kiku-Reason` said. Entries are never changed or removed.
    """
    filters = audit.Filters(
        query.key, query.action, query.object_kind, query.object_id, query.request_id, query.after, query.before
    )
    bound = paging.bound_to("audit", *asdict(filters).values())
    after = paging.position(query.cursor, bound, (int,))
    found = audit.latest(reader, filters, after[0] if after else None, query.limit + 1)
    items = [(entry.id, answers.encode(asdict(entry))) for entry in found]
    body, headers = paging.page(request.scope, items, bound, limit=query.limit, fields=query.fields)
    return Response(body, 200, {"Cache-Control": "no-store", **headers}, "application/json")
