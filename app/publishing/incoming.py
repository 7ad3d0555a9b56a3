"""Bring the lines of a bundle in: each whole or not at all, once however often it comes, with a report of what failed.

What the lines are is said in ``app/formats/bundle.py``; lines of what articles name are brought in by
``ledger_lines.py``, digest pages by ``transfer.py``.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from pydantic import Field
from sqlalchemy.exc import IntegrityError

from app import database
from app.articles import drafts, identity, revisions, slugs, sources, tags
from app.articles.document import ArticleDocument, ArticleInput, CitedPublisher, Shape
from app.articles.drafts import Draft
from app.articles.tables import page_imports
from app.database import Row, Writer
from app.delivery import shapes
from app.delivery.shapes import encode
from app.errors import Busy, Conflict, Fault, Forbidden, Invalid, KikuError, NotFound
from app.formats import bundle
from app.formats.bundle import ArticleLine, Json, Life, Line, Public, RevisionLine
from app.publishing import ledger_lines, publish
from app.publishing.checks import Terms
from app.publishing.ledger_lines import Outcome
from app.publishing.publish import Released
from app.sync import changes
from app.validation import FAULTS, validated

log = logging.getLogger("kiku.import")


class LineError(Shape):
    """What was wrong with a line, the first being 1; the pointer leads into the line."""

    line: int
    pointer: str
    code: str
    detail: str


class Report(Shape):
    """What became of the lines so far, blank ones counted; of errors the first 1,000."""

    lines: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    errors: list[LineError] = Field(default_factory=list)


@dataclass(frozen=True)
class Permit:
    """What whoever brings lines in may do beside changing working copies; ``publish``: the terms, if it is wanted."""

    admin: bool
    publish: Terms | None = None


class Import:
    """One import: what is permitted, how far it is, and what has become of it."""

    def __init__(self, permit: Permit, report: Report | None = None) -> None:
        self.permit = permit
        self.report = report or Report()
        self._released: Released = {}
        self._known_sources: set[str] = set()

    def bring(self, writer: Writer, lines: Iterable[bytes]) -> None:
        """Bring the next lines in; what was wrong with one of them is in the report, and nothing of it is stored.

        Raises: Invalid (``bundle-header``, then nothing at all is stored); Busy.
        """
        writer.hold(publish.PUBLIC)  # alone, as a batch: what lines hold by and by, others would in another order
        self._released, self._known_sources = {}, set()
        for line in lines:
            self.report.lines += 1
            if self.report.lines == 1:
                bundle.header(bundle.read(1, line))
            elif not bundle.is_blank(line):
                self._attempt(writer, self.report.lines, line)
        self.number(writer)

    def number(self, writer: Writer) -> None:
        """Number what readers see since; called last: see ``changes.append``."""
        if self._released:
            changes.append(writer, self._released)

    def demand(self) -> None:
        """Go on only if every line was right. Raises: Invalid (``import-failed``), its pointers begin with the line."""
        if self.report.failed:
            faults = (
                Fault(each.code, each.detail, pointer=f"/{each.line}{each.pointer}") for each in self.report.errors
            )
            raise Invalid("import-failed", "A line was refused; nothing was stored.", tuple(faults))

    def article(self, writer: Writer, sent: ArticleLine, at: str, members: Json) -> tuple[Outcome, str]:
        """Bring one article in: what became of it, and its id. ``at``: where its document stands, for pointers.

        ``members``: the line as it came.
        """
        document, life = sent.document, sent.life
        self.lead_home(writer, document)
        known = _find(writer, document)
        if known is not None and life is not None and life.status == known["status"] == "trashed":
            return "unchanged", known["id"]  # to be changed it has to be restored first
        outcome: Outcome = "created"
        with _within(at):
            if known is not None:
                before, draft = _save(writer, known["id"], document)
                outcome = ledger_lines.outcome(before, draft.version)
            else:
                draft = drafts.create(writer, document) if life is None else self.adopt(writer, sent, life, members)
        for each in sent.page_imports:
            writer.insert_absent(page_imports, {**each.model_dump(), "article_id": draft.id})
        released: Released = {}
        if sent.public is not None:
            released = self.bring_out(writer, draft, sent.public, life if known is None else None)
        elif life is None and self.permit.publish is not None:
            with _within(at):
                released = publish.release(writer, draft, self.permit.publish)[1]
        for id, change in released.items():  # one that comes twice touches the keys of both
            earlier = self._released.get(id, change).surrogate_keys
            self._released[id] = change._replace(surrogate_keys=sorted({*earlier, *change.surrogate_keys}))
        return "updated" if released and outcome == "unchanged" else outcome, draft.id

    def lead_home(self, writer: Writer, document: ArticleDocument) -> None:
        """Let citations whose source is not here by its id name it by its address, publishers by their name."""
        sent = [citation.source for _, citation in identity.cited(document)]
        new = {source.id for source in sent if source.id} - self._known_sources
        self._known_sources |= sources.by_ids(writer, new).keys()
        for source in sent:
            if source.id in self._known_sources or not source.url:
                continue
            source.id = None
            if source.publisher is not None and source.publisher.name:
                source.publisher = CitedPublisher(name=source.publisher.name)

    def adopt(self, writer: Writer, sent: ArticleLine, life: Life, members: Json) -> Draft:
        """Store an article that is not here as it was elsewhere, all but what readers see of it."""
        public = sent.public
        row = life.model_dump(exclude={"public_slugs"}) | {"public_slug": None}
        if public is not None:
            row["public_slug"] = (public.document or sent.document).slug or sent.document.slug
            row["first_published_at"] = public.published_at
        draft = drafts.adopt(writer, sent.document, row, life.public_slugs)
        saved = draft.document.model_dump_json().encode()
        said: Json = {"created_at": life.updated_at, "created_by": None, "reason": None}
        if sent.saved is not None:
            said = sent.saved.model_dump(exclude={"document"})
            saved = saved if sent.saved.document is None else encode(members["saved"]["document"])
        revisions.adopt(writer, draft.id, life.version, saved, said)
        return draft

    def bring_out(self, writer: Writer, draft: Draft, public: Public, life: Life | None) -> Released:
        """Let readers see of an article what they saw elsewhere; what is new of it. ``life``: of a new article."""
        document, version = draft.document, draft.version if public.document is None else None
        if public.document is not None:
            document = public.document
            self.lead_home(writer, document)
            self._complete(writer, draft.document, document)
        published_at, revised_at = draft.facts["first_published_at"] or public.published_at, writer.stamp
        if life is not None:
            version, revised_at = life.published_version, public.revised_at
        return publish.adopt(writer, draft, shapes.article(document, published_at, revised_at), version=version)

    @staticmethod
    def _complete(writer: Writer, draft: ArticleDocument, document: ArticleDocument) -> None:
        """Give what readers saw elsewhere what only this instance knows: its sources, tags and missing ids."""
        document.id, document.slug = draft.id, document.slug or draft.slug
        document.language = document.language or draft.language
        document.tags = tags.followed(writer, document.tags)
        here = "/public/document"
        faults = identity.too_many(list(identity.parts(document)), here)
        faults = faults or sources.link(writer, [(f"{here}{at}", each) for at, each in identity.cited(document)])
        if faults:
            raise Invalid("validation", "The line is not as it should be.", tuple(faults))
        identity.assign(draft, document)
        for number, page in enumerate(document.pages, 1):
            page.number = number
        for correction in document.corrections:
            correction.at = correction.at or writer.stamp

    def _attempt(self, writer: Writer, number: int, line: bytes) -> None:
        sequence = writer.sequence
        try:
            read = bundle.read(number, line)
            with writer.savepoint():
                outcome = self._bring(writer, read)
        except Busy:
            raise
        except Exception as error:
            if not (isinstance(error, KikuError) or database.is_of_values(error)):
                raise
            writer.sequence = sequence
            self._refuse(number, error)
        else:
            setattr(self.report, outcome, getattr(self.report, outcome) + 1)

    def _bring(self, writer: Writer, line: Line) -> Outcome:
        shape = _SHAPES.get(line.kind)
        if shape is None:
            raise Invalid("line-unknown", "There is no such kind of line.")
        sent = validated(shape, line.members)
        plain = isinstance(sent, ArticleLine) and sent.life is None and not sent.page_imports
        if not (plain or self.permit.admin):
            detail = "This line needs a key with scope admin; an article without `life` and `page_imports` does not."
            raise Forbidden("scope-missing", detail)
        if isinstance(sent, ArticleLine):
            return self.article(writer, sent, "/document", line.members)[0]
        return _revision(writer, sent, line) if isinstance(sent, RevisionLine) else ledger_lines.bring(writer, sent)

    def _refuse(self, number: int, error: Exception) -> None:
        self.report.failed += 1
        if isinstance(error, IntegrityError):
            error = Conflict("write-conflict", "It names what is not here, or has what must be unique.")
        elif not isinstance(error, KikuError):
            log.error("the database took no value of a line", exc_info=error)
            error = Invalid("value-refused", "The database does not take one of its values.")
        faults = error.faults or (Fault(error.code, error.detail, pointer=""),)
        for fault in faults[: FAULTS - len(self.report.errors)]:
            told = LineError(line=number, pointer=fault.pointer or "", code=fault.code, detail=fault.detail)
            self.report.errors.append(told)


def bring_document(writer: Writer, document: ArticleDocument, terms: Terms | None) -> tuple[Outcome, str]:
    """Bring one article in, as a line with nothing but this document, and publish it where there are terms to.

    What became of it, and its id. Raises what creating, saving and publishing raise; then nothing is stored.
    """
    sent = ArticleInput.model_construct(**{name: getattr(document, name) for name in ArticleDocument.model_fields})
    work = Import(Permit(admin=False, publish=terms))
    writer.hold(publish.PUBLIC, shared=True)
    made = work.article(writer, ArticleLine.model_construct(kind="article", document=sent, page_imports=[]), "", {})
    work.number(writer)
    return made


def _revision(writer: Writer, sent: RevisionLine, line: Line) -> Outcome:
    here = drafts.find(writer, sent.article_id)
    if here is None:
        raise NotFound("article-unknown", "There is no such article.")
    if here["version"] < sent.number:
        raise NotFound("revision-unknown", "The article has not come as far as this revision.")
    if sent.document.id != sent.article_id:
        fault = Fault("id-invalid", "The document is another article's.", pointer="/document/id")
        raise Invalid("validation", "The line is not as it should be.", (fault,))
    said = {"created_at": sent.created_at, "created_by": sent.created_by, "reason": sent.reason}
    new = revisions.adopt(writer, sent.article_id, sent.number, encode(line.members["document"]), said)
    return "created" if new else "unchanged"


_SHAPES: Mapping[str, type[Shape]] = {**ledger_lines.SHAPES, "article": ArticleLine, "revision": RevisionLine}


def _find(writer: Writer, document: ArticleDocument) -> Row | None:
    """The article that is here by this id, or else by one of these external ids: its id, version and status."""
    found = drafts.find(writer, document.id) if document.id else None
    for system, external_id in document.external_ids.items():
        if found is not None:
            break
        article_id = slugs.find_external(writer, system, external_id)
        found = drafts.find(writer, article_id) if article_id else None
    return found


def _save(writer: Writer, article_id: str, sent: ArticleInput) -> tuple[int, Draft]:
    """The article's version before, and its working copy after a PUT of what was sent."""
    before: list[int] = []

    def edit(stored: Draft) -> ArticleInput:
        before.append(stored.version)
        return sent.model_copy(update={"id": None, "version": None, "created_at": None})

    for page in sent.pages:
        page.number = None
    draft = drafts.change(writer, article_id, None, edit)
    return before[0], draft


@contextmanager
def _within(here: str) -> Iterator[None]:
    """Where a part of the line is refused, its pointers lead into the line."""
    try:
        yield
    except KikuError as error:
        error.faults = tuple(replace(fault, pointer=here + (fault.pointer or "")) for fault in error.faults)
        raise
