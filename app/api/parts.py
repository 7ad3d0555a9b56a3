"""Pages, sections, citations and key points of working copies, each by its own address.

Whole articles are in ``articles.py``; both go through the same door (``app/articles/drafts.py``).
"""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import create_model
from starlette.responses import Response

from app.articles import parts
from app.articles.document import Citation, KeyPoint, Page, Section, Shape
from app.articles.parts import Kind, Target
from app.wire import answers, bodies
from app.wire.caller import DraftReader, Editor
from app.wire.conditional import IfMatch, OptionalMatch
from app.wire.idempotency import IdempotentRoute
from app.wire.sessions import Reader, Writer

router = APIRouter(prefix="/v1/manage", tags=["parts"], route_class=IdempotentRoute)

MoveTarget = Annotated[Target, Depends(bodies.json_body(Target))]
PartPatch = Annotated[bodies.Patch, Depends(bodies.patch_body)]


class ArticleVersion(Shape):
    """The article a part belongs to, and its version."""

    id: str
    version: int


def _answered(model: type[Shape]) -> type[Shape]:
    """What an answer about a part of this kind holds: the part, and where it stands."""
    beside: dict[str, Any] = {"article": (ArticleVersion, ...), "parent_id": (str, ...), "position": (int, ...)}
    return create_model(f"Managed{model.__name__}", __base__=model, **beside)


def _addresses(kind: Kind, words: str, model: type[Shape], example: dict[str, Any]) -> None:
    """Hang reading, changing, moving and removing a part of one kind; the four kinds differ in nothing else."""
    at, described = f"/{words}s/{{id}}".replace(" ", "-"), {200: {"model": _answered(model)}}
    name = kind

    def read(_: DraftReader, id: str, reader: Reader) -> Response:
        """The part with its article, the id of what it belongs to, and its position there, counted from 0.

        Its ETag is its article's version.
        """
        draft, part = parts.load(reader, kind, id)
        return answers.resource(part, draft.version)

    def change(_: Editor, id: str, match: IfMatch, patch: PartPatch, writer: Writer) -> Response:
        """Change the part: JSON Merge Patch (RFC 7396) or JSON Patch (RFC 6902). Its place changes by a move."""
        draft = parts.change(writer, kind, id, match, lambda part: bodies.apply(patch, part))
        return answers.resource(parts.answer(draft, id), draft.version)

    def remove(_: Editor, id: str, match: IfMatch, writer: Writer) -> Response:
        """Remove the part and everything in it."""
        parts.remove(writer, kind, id, match)
        return Response(status_code=204)

    def move(_: Editor, id: str, match: IfMatch, target: MoveTarget, writer: Writer) -> Response:
        """Put the part before or after another of its kind, or at the end of what holds its kind; its id stays."""
        draft = parts.move(writer, kind, id, target, match)
        return answers.resource(parts.answer(draft, id), draft.version)

    def hang(endpoint: Callable[..., Response], method: str, path: str, verb: str, **options: Any) -> None:
        summary = f"{verb.capitalize()} a {words}"
        router.add_api_route(path, endpoint, methods=[method], name=f"{verb}_{name}", summary=summary, **options)

    hang(read, "GET", at, "read", responses=described)
    hang(change, "PATCH", at, "change", responses=described, openapi_extra=bodies.openapi_patch({"例": example}))
    hang(remove, "DELETE", at, "remove", status_code=204)
    moved = bodies.openapi_body(Target, examples={"例": {"after": "01a20952-730d-73de-8611-1d33b4d4b762"}})
    hang(move, "POST", f"{at}/move", "move", responses=described, openapi_extra=moved)


def _additions(parent: str, listed: str, model: type[Shape], example: dict[str, Any]) -> None:
    """Hang adding a part to one list of its parent."""
    segment, body = listed.replace("_", "-"), Annotated[model, Depends(bodies.json_body(model))]
    at = "/articles/{id}" if parent == "article" else f"/{parent}s/{{id}}"

    def add(_: Editor, id: str, match: OptionalMatch, part: body, writer: Writer) -> Response:  # type: ignore[valid-type]
        """Add the part at the end of the list. ``If-Match`` is honoured where it is sent."""
        draft, part_id = parts.add(writer, (parent, id), listed, part, match.if_match)
        location = {"Location": f"/v1/manage/{SEGMENTS[model]}/{part_id}"}
        return answers.resource(parts.answer(draft, part_id), draft.version, status=201, headers=location)

    router.add_api_route(
        f"{at}/{segment}",
        add,
        methods=["POST"],
        status_code=201,
        name=f"add_to_{listed}",
        summary=f"Add to the {listed.replace('_', ' ')} of {'an' if parent == 'article' else 'a'} {parent}",
        responses={201: {"model": _answered(model)}},
        openapi_extra=bodies.openapi_body(model, examples={"例": example}),
    )


SEGMENTS: dict[type[Shape], str] = {
    Page: "pages",
    Section: "sections",
    Citation: "citations",
    KeyPoint: "key-points",
}
_PAGE = {"teaser": "次は、家で育てるこつです。"}
_SECTION = {"heading": "千輪咲きの秘密", "body": "園芸課が一年をかけて育てました。"}
_CITATION = {"source": {"url": "https://news.example.jp/kiku", "title": "千輪咲き、今年も公開"}}
_KEY_POINT = {"text": "一株に千百二十輪が咲いた。"}

_additions("article", "pages", Page, _PAGE)
_additions("article", "takeaways", KeyPoint, _KEY_POINT)
_additions("page", "sections", Section, _SECTION)
_additions("section", "citations", Citation, _CITATION)
_additions("citation", "key_points", KeyPoint, _KEY_POINT)
_addresses("page", "page", Page, _PAGE)
_addresses("section", "section", Section, {"heading": "千輪咲きの秘密"})
_addresses("citation", "citation", Citation, {"display_title": "千輪咲き"})
_addresses("key_point", "key point", KeyPoint, _KEY_POINT)
