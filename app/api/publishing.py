"""What an article goes through: checks, publish, unpublish.

The working copy itself is changed in ``articles.py``.
"""

from dataclasses import asdict

from fastapi import APIRouter
from starlette.responses import Response

from app.articles import drafts, site
from app.publishing import checks, publish
from app.wire import answers
from app.wire.caller import DraftReader, Publisher
from app.wire.conditional import IfMatch
from app.wire.sessions import Reader, Writer

router = APIRouter(prefix="/v1/manage/articles/{key}", tags=["publishing"])


@router.get("/checks", summary="Check an article", responses={200: {"model": checks.Checks}})
def check_article(_: DraftReader, key: str, reader: Reader) -> Response:
    """What stands between the working copy and publication: every finding with its code and pointer.

    Only findings of severity ``error`` prevent publication.
    """
    draft = drafts.load(reader, key)
    found = checks.run(draft.document, site.load(reader).document)
    return answers.resource(asdict(checks.Checks.of(found)), draft.version)


@router.post("/publish", summary="Publish an article", responses={200: {"model": publish.Publication}})
def publish_article(_: Publisher, key: str, match: IfMatch, writer: Writer) -> Response:
    """Make the working copy public. When the answer comes, every read and list shows it.

    Publishing what is public already answers ``"changed": false``: same bytes, same ETag, no change in
    the feed. An article that fails a check is refused with 422 ``checks-failed``.
    """
    publication = publish.publish(writer, key, match)
    return answers.resource(asdict(publication), publication.version)


@router.post("/unpublish", summary="Unpublish an article", responses={200: {"model": publish.Publication}})
def unpublish_article(_: Publisher, key: str, match: IfMatch, writer: Writer) -> Response:
    """Take the article from the readers; its working copy stays. Repeating it changes nothing."""
    publication = publish.unpublish(writer, key, match)
    return answers.resource(asdict(publication), publication.version)
