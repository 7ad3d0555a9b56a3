"""What an article goes through: checks, review, schedule, publish, unpublish, archive, restore.

The working copy itself is changed, and trashed, in ``articles.py``.
"""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from app.articles import drafts
from app.articles.document import Schedule, Shape, WorkingCopy
from app.articles.drafts import Draft
from app.articles.fields import Reason
from app.publishing import checks, lifecycle, publish
from app.publishing.checks import Terms
from app.wire import answers, bodies, negotiation
from app.wire.caller import DraftReader, Editor, Publisher, Reviewer
from app.wire.conditional import IfMatch, OptionalMatch
from app.wire.idempotency import IdempotentRoute
from app.wire.negotiation import Spoken
from app.wire.sessions import Reader, Writer

router = APIRouter(prefix="/v1/manage/articles/{key}", tags=["publishing"], route_class=IdempotentRoute)


class PublishInput(Shape):
    """Nothing, or why the article is published although it fails checks."""

    override_reason: Reason | None = None


@router.get("/checks", summary="Check an article", responses={200: {"model": checks.Checks}})
def check_article(_: DraftReader, key: str, spoken: Spoken, reader: Reader) -> Response:
    """What stands between the working copy and publication: every finding with its code and pointer.

    Only findings of severity ``error`` prevent publication; the site's ``checks`` say which are. ``detail`` is
    Japanese or English, by ``Accept-Language``.
    """
    draft = drafts.load(reader, key)
    found = checks.Checks.of(checks.run(reader, draft.document, spoken))
    return answers.resource(asdict(found), draft.version, headers=negotiation.said_in(spoken))


@router.post(
    "/publish",
    summary="Publish an article",
    responses={200: {"model": publish.Publication}},
    openapi_extra=bodies.openapi_body(
        PublishInput,
        examples={"速報": {"override_reason": "速報のため、要点はあとで足します。"}},
        required=False,
    ),
)
def publish_article(
    _: Publisher,
    key: str,
    match: IfMatch,
    sent: Annotated[PublishInput, Depends(bodies.json_body(PublishInput, optional=True))],
    spoken: Spoken,
    writer: Writer,
) -> Response:
    """Make the working copy public. When the answer comes, every read and list shows it.

    Publishing what is public already answers ``"changed": false``: same bytes, same ETag, no change in
    the feed. An article that fails a check is refused with 422 ``checks-failed``, unless ``override_reason`` says
    why it goes public nevertheless: that is recorded in the audit, and what failed is among the ``warnings``.
    """
    publication = publish.publish(writer, key, match, Terms(spoken, sent.override_reason))
    return answers.resource(asdict(publication), publication.version, headers=negotiation.said_in(spoken))


@router.post("/unpublish", summary="Unpublish an article", responses={200: {"model": publish.Publication}})
def unpublish_article(_: Publisher, key: str, match: IfMatch, writer: Writer) -> Response:
    """Take the article from the readers; its working copy stays. Repeating it changes nothing."""
    publication = publish.unpublish(writer, key, match)
    return answers.resource(asdict(publication), publication.version)


@router.post("/submit", summary="Put an article before a reviewer", responses={200: {"model": WorkingCopy}})
def submit_article(_: Editor, key: str, match: OptionalMatch, writer: Writer) -> Response:
    """Mark the working copy as waiting for a review: ``in_review``. Publishing ends the review, as rejecting does."""
    return _answer(lifecycle.submit(writer, key, match.if_match))


@router.post("/reject", summary="End a review", responses={200: {"model": WorkingCopy}})
def reject_article(_: Reviewer, key: str, match: OptionalMatch, writer: Writer) -> Response:
    """Send the working copy back: it is not in review any more, and not published."""
    return _answer(lifecycle.reject(writer, key, match.if_match))


@router.put(
    "/schedule",
    summary="Schedule an article",
    responses={200: {"model": WorkingCopy}},
    openapi_extra=bodies.openapi_body(
        Schedule, examples={"十月だけ": {"publish_at": "2024-10-01T00:00:00Z", "unpublish_at": "2024-11-01T00:00:00Z"}}
    ),
)
def schedule_article(
    _: Publisher,
    key: str,
    match: IfMatch,
    schedule: Annotated[Schedule, Depends(bodies.json_body(Schedule))],
    spoken: Spoken,
    writer: Writer,
) -> Response:
    """Plan when the article goes public, when it is withdrawn, or both, in place of what was planned before.

    It happens within two seconds of its instant, once, and publishes the working copy as it is then. One that does not
    pass the checks is refused with 422 ``checks-failed``, and no reason overrides that; one that is spoiled afterwards
    is not published then, and its plan is dropped. Publishing, unpublishing, archiving and trashing by hand end the
    plans they make pointless.
    """
    return _answer(lifecycle.schedule(writer, key, match, schedule, Terms(spoken)))


@router.delete("/schedule", status_code=204, summary="Cancel a schedule")
def unschedule_article(_: Publisher, key: str, match: IfMatch, writer: Writer) -> Response:
    """Plan nothing any more; what is public stays so."""
    lifecycle.unschedule(writer, key, match)
    return Response(status_code=204)


@router.post("/archive", summary="Archive an article", responses={200: {"model": WorkingCopy}})
def archive_article(caller: Editor, key: str, match: IfMatch, writer: Writer) -> Response:
    """Put the article away, taking it from the readers; of a published one that needs scope ``publish``."""
    return _answer(lifecycle.archive(writer, key, match, lambda: caller.require("publish")))


@router.post("/restore", summary="Restore an article", responses={200: {"model": WorkingCopy}})
def restore_article(_: Editor, key: str, match: IfMatch, writer: Writer) -> Response:
    """Bring the article back from archive or trash: unpublished, or a draft where it never was public."""
    return _answer(lifecycle.restore(writer, key, match))


def _answer(draft: Draft) -> Response:
    return answers.resource(draft.resource(), draft.version)
