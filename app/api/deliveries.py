"""What a webhook was told: its log, a test, and what happened once more.

Webhooks themselves are in ``webhooks.py``; how something gets there is in ``app/sync``.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import model_validator
from pydantic_core import PydanticCustomError
from starlette.requests import Request
from starlette.responses import Response

from app.articles.document import Shape
from app.articles.fields import Id, Instant
from app.sync import deliveries
from app.wire import answers, bodies, paging
from app.wire.caller import Admin
from app.wire.idempotency import IdempotentRoute
from app.wire.sessions import Reader, Writer

router = APIRouter(prefix="/v1/manage/webhooks/{id}", tags=["webhooks"], route_class=IdempotentRoute)


class Replay(Shape):
    """From where on what happened is told again: that event, or that instant, both inclusive."""

    event: Id | None = None
    after: Instant | None = None

    @model_validator(mode="after")
    def _one(self) -> "Replay":
        if (self.event is None) == (self.after is None):
            raise PydanticCustomError("replay-start", "Name an event or an instant, and not both.")
        return self


class Replayed(Shape):
    """How many changes are looked through again; those that concern the webhook are told."""

    events: int


class DeliveryAnswer(Shape):
    """What the last try of a delivery came to; ``event_id`` is its `webhook-id`."""

    id: str
    event_id: str
    type: str
    article_id: str | None
    status: deliveries.Status
    attempts: int
    attempted_at: str | None
    next_attempt_at: str | None
    response_code: int | None
    error: str | None
    duration_ms: int | None


class DeliveryList(Shape):
    """A page of deliveries."""

    items: list[DeliveryAnswer]
    next: str | None


class DeliveryQuery(paging.PageQuery):
    """The filter of a log."""

    status: deliveries.Status | None = None


SentReplay = Annotated[Replay, Depends(bodies.json_body(Replay))]


@router.post("/test", status_code=202, summary="Test a webhook", responses={202: {"model": DeliveryAnswer}})
def try_webhook(_: Admin, id: str, writer: Writer) -> Response:
    """Send an event of type `webhook.test` within a second or two, once; ask at `Location` what came of it.

    It is sent though the webhook is not enabled, and it pauses and wakes nothing.
    """
    delivery = deliveries.test(writer, id)
    location = {"Location": f"/v1/manage/webhooks/{id.lower()}/deliveries/{delivery.id}"}
    return answers.resource(delivery.resource(), None, status=202, headers=location)


@router.post(
    "/replay",
    status_code=202,
    summary="Tell a webhook again",
    responses={202: {"model": Replayed}},
    openapi_extra=bodies.openapi_body(Replay, examples={"朝から": {"after": "2026-01-02T00:00:00Z"}}),
)
def replay_webhook(_: Admin, id: str, sent: SentReplay, writer: Writer) -> Response:
    """Tell what happened again, from an event or an instant on, delivered or not; each keeps its `webhook-id`."""
    return answers.resource({"events": deliveries.replay(writer, id, sent.event, sent.after)}, None, status=202)


@router.get("/deliveries", summary="List deliveries", responses={200: {"model": DeliveryList}})
def list_deliveries(
    _: Admin, request: Request, id: str, query: Annotated[DeliveryQuery, Query()], reader: Reader
) -> Response:
    """What the webhook was told, and what came of it, the last first; kept for 30 days after what happened."""
    bound = paging.bound_to("deliveries", id.lower(), query.status)
    after = paging.position(query.cursor, bound, (str,))
    found = deliveries.latest(reader, id, query.status, after[0] if after else None, query.limit + 1)
    items = [(delivery.id, answers.encode(delivery.resource())) for delivery in found]
    body, headers = paging.page(request.scope, items, bound, limit=query.limit, fields=query.fields)
    return Response(body, 200, {"Cache-Control": "no-store", **headers}, "application/json")


@router.get("/deliveries/{delivery_id}", summary="Read a delivery", responses={200: {"model": DeliveryAnswer}})
def read_delivery(_: Admin, id: str, delivery_id: str, reader: Reader) -> Response:
    """One delivery: what its last try came to, and when there is another."""
    return answers.resource(deliveries.load(reader, id, delivery_id).resource(), None)
