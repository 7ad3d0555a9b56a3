"""Whether this process lives, whether it can serve, and what it counted. Never cached.

What is counted is decided in ``app/wire/trace.py``, what a current schema is in ``app/revision.py``.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.responses import Response

from app import revision
from app.errors import Busy
from app.settings import Settings
from app.wire import answers, sessions, trace
from app.wire.caller import Credentials, identify

router = APIRouter(tags=["health"])


async def _may_see_metrics(request: Request, credentials: Credentials) -> None:
    settings: Settings = request.app.state.settings
    if not settings.private_bind:
        caller = await identify(request, credentials)
        caller.require("admin")


@router.get("/health/live", summary="Is the process alive?")
def read_live() -> Response:
    """Answers as long as the process can answer at all; says nothing about the database."""
    return answers.resource({"status": "live"}, None)


@router.get("/health/ready", summary="Can requests be served?")
async def read_ready(request: Request) -> Response:
    """Ready when the database answers and stands at the newest migration; else 503, also while shutting down."""
    state = request.app.state
    if state.closing:
        raise Busy("The process is shutting down.")
    rooms = sessions.of(request)
    if not await rooms.aside(lambda: revision.is_current(rooms.database)):
        raise Busy("The database is not migrated to this version: run `kiku migrate`.", retry_after_seconds=30)
    return answers.resource({"status": "ready"}, None)


@router.get("/metrics", summary="What was counted, for Prometheus")
def read_metrics(_: Annotated[None, Depends(_may_see_metrics)]) -> Response:
    """Counters and durations of requests, by method, route and class of status; of all worker processes.

    Needs a key with scope `admin`, unless the server listens on a private address.
    """
    trace.count()
    registry = REGISTRY
    if values.ValueClass is not values.MutexValue:  # several processes count into one folder
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), 200, {"Cache-Control": "no-store"}, CONTENT_TYPE_LATEST)
