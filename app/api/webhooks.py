"""Webhooks over the API: make, list, read, change, remove, rotate; what they are told is in ``deliveries.py``.

A secret is in the answer that made it and nowhere else: these routes keep no answers, and what makes one refuses an
``Idempotency-Key``.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from app.articles import publishers, tags
from app.articles.document import Shape
from app.articles.fields import Id, Language, Slug, Url
from app.errors import Fault, Invalid
from app.publishing.publish import PUBLIC
from app.sync import addresses, deliveries, webhooks
from app.sync.events import TYPES, Type
from app.sync.webhooks import Reason, Subscription, Webhook
from app.validation import demand_told, validated
from app.wire import answers, bodies, paging
from app.wire.caller import Admin
from app.wire.conditional import IfMatch
from app.wire.idempotency import NoKey
from app.wire.sessions import Reader, Writer

router = APIRouter(prefix="/v1/manage/webhooks", tags=["webhooks"])

_DAY_SECONDS = 86_400
_FIXED = ("id", "disabled_reason", "version", "created_at")
EXAMPLES = {"秋の話題": {"url": "https://hooks.example.jp/kiku", "events": ["article.published"], "tag": "秋"}}


class WebhookInput(Shape):
    """A webhook as it is made or changed; what else an answer tells may come back as it was told.

    Told are events of these types, of articles that pass the filters or passed them before the change.
    """

    url: Url
    events: Annotated[list[Type], Field(min_length=1, max_length=len(TYPES), default_factory=lambda: [*TYPES])]
    language: Language | None = None
    tag: Slug | None = None
    publisher: Id | None = None
    enabled: bool = True
    id: str | None = None
    disabled_reason: Reason | None = None
    failing_since_at: str | None = None
    version: int | None = None
    created_at: str | None = None

    def subscription(self) -> Subscription:
        """What of it is for its owner to say."""
        types = tuple(type for type in TYPES if type in self.events)
        return Subscription(self.url, types, self.language, self.tag, self.publisher, self.enabled)


class WebhookAnswer(Shape):
    """A webhook, without its secret; ``disabled_reason``: why it is not enabled."""

    id: str
    url: str
    events: list[Type]
    language: str | None
    tag: str | None
    publisher: str | None
    enabled: bool
    disabled_reason: Reason | None
    failing_since_at: str | None
    version: int
    created_at: str


class NewWebhook(WebhookAnswer):
    """A webhook with the secret that signs what it is told from now on; it is never to be had again."""

    secret: str


class WebhookList(Shape):
    """A page of webhooks."""

    items: list[WebhookAnswer]
    next: str | None


class WebhookRotation(Shape):
    """How long the secret before signs beside the new one."""

    overlap_seconds: Annotated[int, Field(ge=0, le=30 * _DAY_SECONDS)] = _DAY_SECONDS


Sent = Annotated[WebhookInput, Depends(bodies.json_body(WebhookInput))]
SentRotation = Annotated[WebhookRotation, Depends(bodies.json_body(WebhookRotation, optional=True))]


@router.get("", summary="List webhooks", responses={200: {"model": WebhookList}})
def list_webhooks(_: Admin, request: Request, query: Annotated[paging.PageQuery, Query()], reader: Reader) -> Response:
    """All webhooks, the last made first; never a secret."""
    bound = paging.bound_to("webhooks")
    after = paging.position(query.cursor, bound, (str,))
    found = webhooks.latest(reader, after[0] if after else None, query.limit + 1)
    items = [(webhook.id, answers.encode(_shown(webhook))) for webhook in found]
    body, headers = paging.page(request.scope, items, bound, limit=query.limit, fields=query.fields)
    return Response(body, 200, {"Cache-Control": "no-store", **headers}, "application/json")


@router.post(
    "",
    status_code=201,
    summary="Make a webhook",
    responses={201: {"model": NewWebhook}},
    openapi_extra=bodies.openapi_body(WebhookInput, examples=EXAMPLES),
)
def create_webhook(_: Admin, request: Request, _once: NoKey, sent: Sent, writer: Writer) -> Response:
    """Be told at `url` whenever something is published, updated or withdrawn, from this answer on.

    `secret` signs what is sent (Standard Webhooks): it is shown this once.
    """
    writer.hold(PUBLIC)  # what is being published or merged just now was begun without this webhook
    webhook, secret = webhooks.create(writer, _demanded(request, writer, sent, {}))
    return _new(webhook, secret, 201, {"Location": f"{router.prefix}/{webhook.id}"})


@router.get("/{id}", summary="Read a webhook", responses={200: {"model": WebhookAnswer}})
def read_webhook(_: Admin, id: str, reader: Reader) -> Response:
    """The webhook, without its secret."""
    return _answer(webhooks.load(reader, id))


@router.put(
    "/{id}",
    summary="Replace a webhook",
    responses={200: {"model": WebhookAnswer}},
    openapi_extra=bodies.openapi_body(WebhookInput, examples=EXAMPLES),
)
def replace_webhook(_: Admin, request: Request, id: str, match: IfMatch, sent: Sent, writer: Writer) -> Response:
    """Say anew where it leads and what it is told; its secret stays.

    One that is enabled again is told all that it missed, as far as that is kept.
    """
    return _changed(writer, id, match, lambda webhook: _demanded(request, writer, sent, _shown(webhook)))


@router.patch(
    "/{id}",
    summary="Change a webhook",
    responses={200: {"model": WebhookAnswer}},
    openapi_extra=bodies.openapi_patch({"休む": {"enabled": False}}),
)
def change_webhook(
    _: Admin,
    request: Request,
    id: str,
    match: IfMatch,
    patch: Annotated[bodies.Patch, Depends(bodies.patch_body)],
    writer: Writer,
) -> Response:
    """Change what is said: JSON Merge Patch (RFC 7396) or JSON Patch (RFC 6902)."""

    def edit(webhook: Webhook) -> Subscription:
        shown = _shown(webhook)
        return _demanded(request, writer, validated(WebhookInput, bodies.apply(patch, shown)), shown)

    return _changed(writer, id, match, edit)


@router.delete("/{id}", status_code=204, summary="Remove a webhook")
def remove_webhook(_: Admin, id: str, match: IfMatch, writer: Writer) -> Response:
    """Tell it nothing any more; its deliveries are gone, too."""
    webhooks.remove(writer, id, match)
    return Response(status_code=204)


@router.post(
    "/{id}/rotate",
    summary="Rotate a webhook's secret",
    responses={200: {"model": NewWebhook}},
    openapi_extra=bodies.openapi_body(WebhookRotation, examples={"一時間": {"overlap_seconds": 3_600}}, required=False),
)
def rotate_webhook(_: Admin, id: str, _once: NoKey, sent: SentRotation, writer: Writer) -> Response:
    """A new secret; the one before signs beside it for a day, or `overlap_seconds`: both signatures are sent.

    Rotated again within that time, it is the same one that signs beside the new, until the same moment; with
    `overlap_seconds` 0 none does.
    """
    return _new(*webhooks.rotate(writer, id, timedelta(seconds=sent.overlap_seconds)))


def _changed(
    writer: Writer, id: str, match: frozenset[int] | None, edit: Callable[[Webhook], Subscription]
) -> Response:
    writer.hold(PUBLIC)  # what is being merged just now was begun without this filter
    webhook, woken = webhooks.change(writer, id, match, edit)
    if woken:
        deliveries.renew(writer, webhook)
    return _answer(webhook)


def _demanded(request: Request, reader: Reader, sent: WebhookInput, shown: Mapping[str, Any]) -> Subscription:
    """What was sent, held against what only the server says, and against what it newly asks for.

    What stands already is not judged: a webhook can be switched off whatever has become of it.
    Raises: Invalid (``read-only``, ``address-refused``, ``url-invalid``, ``publisher-unknown``).
    """
    demand_told(sent, shown, _FIXED)
    subscription = sent.subscription()
    if sent.url != shown.get("url") or (sent.enabled and not shown["enabled"]):
        allowed: Collection[str] = request.app.state.settings.webhook_allowed_hosts
        addresses.demand(sent.url, allowed)
    return replace(subscription, tag=_tag(reader, sent.tag), publisher=_publisher(reader, sent, shown))


def _tag(reader: Reader, slug: str | None) -> str | None:
    """What the tag is called today; one that nothing bears yet may come."""
    return None if slug is None else tags.followed(reader, [slug])[0]


def _publisher(reader: Reader, sent: WebhookInput, shown: Mapping[str, Any]) -> str | None:
    """The id under which the publisher is known today. Raises: Invalid (``publisher-unknown``)."""
    if sent.publisher is None or sent.publisher == shown.get("publisher"):
        return sent.publisher
    found = publishers.find(reader, sent.publisher)
    if found is None:
        fault = Fault("publisher-unknown", "There is no such publisher.", pointer="/publisher")
        raise Invalid("validation", "The webhook cannot be stored.", (fault,))
    return found


def _shown(webhook: Webhook) -> dict[str, Any]:
    told: dict[str, Any] = asdict(webhook)
    del told["number"]
    said: dict[str, Any] = told.pop("subscription")
    return {"id": told.pop("id")} | said | {"events": [*said["events"]]} | told


def _answer(webhook: Webhook) -> Response:
    return answers.resource(_shown(webhook), webhook.version)


def _new(webhook: Webhook, secret: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return answers.resource(_shown(webhook) | {"secret": secret}, webhook.version, status=status, headers=headers)
