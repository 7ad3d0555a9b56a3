"""What Kiku promises about the life of articles and their ledger, as dictionaries and nothing else.

No address, no database, no byte is known here; ``test_life_of_articles.py`` does the same to Kiku and to this and
compares. What the ledger promises is in ``model_ledger.py``. A document cites its sources by their ids alone.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.promises.model_ledger import Ledger, Refused

Json = dict[str, Any]
Change = Callable[[Json], None]
"""What an editor does to a document, in place."""
Match = int | None
"""The version an editor has; None for whatever is there."""

ARTICLE: Json = {
    "id": None, "slug": None, "language": "ja", "translation_key": None, "external_ids": {}, "title": "",
    "title_reading": None, "lead": "", "hero_image": None, "bylines": [], "introduction": "", "takeaways": [],
    "pages": [], "conclusion": "", "tags": [], "corrections": [], "canonical_url": None,
    "seo": {"title": None, "description": None, "noindex": False}, "labels": {},
}  # fmt: skip
PARTS: dict[str, Json] = {
    "takeaways": {"id": None, "text": ""},
    "pages": {"id": None, "number": None, "title": None, "teaser": None, "sections": []},
    "sections": {
        "id": None, "anchor": None, "heading": None, "question": None, "answer": None, "transition": None,
        "citations": [], "body": "", "commentary": None,
    },
    "citations": {
        "id": None, "source": None, "display_title": None, "publisher_text": None, "published_on": None,
        "shows_published_on": True, "url": None, "image": None, "labels": {}, "key_points": [],
    },
    "key_points": {"id": None, "text": ""},
}  # fmt: skip
"""What each list holds, every field with its default."""
KINDS = {name: name for name in PARTS} | {"takeaways": "key_points"}
"""A takeaway is a key point of the article, and may be moved to where key points are."""
STANDING = {"draft", "published", "unpublished"}


@dataclass
class Place:
    """Where a part stands: the list's name, what holds the list, and the index in it."""

    name: str
    holder: Json
    at: int

    @property
    def part(self) -> Json:
        part: Json = self.holder[self.name][self.at]
        return part


@dataclass
class Article:
    """One article: its working copy, the facts of its life, and what readers see of it."""

    document: Json
    created_at: str
    updated_at: str
    version: int = 1
    status: str = "draft"
    in_review: bool = False
    publish_at: str | None = None
    unpublish_at: str | None = None
    trashed_at: str | None = None
    revisions: list[Json] = field(default_factory=list)
    public: Json | None = None
    public_version: int | None = None
    published_at: str | None = None
    revised_at: str | None = None
    once_public: set[str] = field(default_factory=set)
    """Slugs under which readers have seen it."""


class Kiku:
    """Everything there is. ``moved``: the articles whose entry in the feed a step has moved to a new number."""

    def __init__(self) -> None:
        self.now = ""
        self.ledger = Ledger()
        self.articles: dict[str, Article] = {}
        self.feed: dict[str, bool] = {}
        """Every article that was ever public: whether it is now, or a tombstone stands for it."""
        self.moved: set[str] = set()

    # ------------------------------------------------------------------------------------- what is answered

    def shown(self, document: Json) -> Json:
        """A document as answers have it: with what the ledger says now of its sources and tags."""
        shown = copy.deepcopy(document)
        shown["tags"] = self.ledger.followed(document["tags"])
        for place in places(shown):
            if place.name == "citations":
                place.part["source"] = self.ledger.cited(place.part["source"])
        return shown

    def resource(self, article: Article) -> Json:
        """What an editor is answered."""
        planned = {"publish_at": article.publish_at, "unpublish_at": article.unpublish_at}
        return self.shown(article.document) | {
            "version": article.version,
            "status": article.status,
            "in_review": article.in_review,
            "schedule": planned if any(planned.values()) else None,
            "has_unpublished_changes": article.public_version != article.version,
            "created_at": article.created_at,
            "updated_at": article.updated_at,
            "published_at": article.published_at,
        }

    def read(self, article_id: str) -> Json | None:
        """What a reader is answered; None where nothing is public."""
        article = self.articles.get(article_id)
        if article is None or article.public is None:
            return None
        return self.shown(article.public) | {"published_at": article.published_at, "revised_at": article.revised_at}

    def listed(self) -> list[Json]:
        """What readers see of all that is public, the latest first."""
        found = [read for id in self.articles if (read := self.read(id)) is not None]
        return sorted(found, key=lambda article: (article["published_at"], article["id"]), reverse=True)

    def leads(self, slug: str) -> tuple[int, set[str]]:
        """What a slug that was public once answers now, and the slugs of which it names one, or leads to one.

        A public slug beats an old one; of several articles that had it before, one that was revised last is meant.
        """
        public = [(article, article.public["slug"]) for article in self.articles.values() if article.public]
        if any(now == slug for _, now in public):
            return 200, {slug}
        heirs = [(article.revised_at or "", now) for article, now in public if slug in article.once_public]
        return (308, {now for at, now in heirs if at == max(heirs)[0]}) if heirs else (404, {""})

    # ----------------------------------------------------------------------------------------- what is saved

    def create(self, sent: Json, seen: Json | None) -> None:
        """A new article. ``seen``: the answer, of which only what Kiku chose is taken, ids and a slug nobody sent.

        Such a slug is made of the title, and no other article's.
        """
        slug = sent.get("slug")
        if slug in self.living_slugs():
            raise Refused(409, "slug-taken")
        assert seen is not None
        if slug is None:
            assert seen["slug"].startswith(sent["title"])
            assert seen["slug"] not in self.living_slugs()
        document = self._complete({"slug": seen["slug"], **sent}, {"takeaways": [], "pages": []}, seen)
        made = Article(document, created_at=self.now, updated_at=self.now)
        made.revisions.append(self.shown(document))
        self.articles[document["id"]] = made

    def edit(self, id: str, match: Match, change: Change, seen: Json | None) -> None:
        """The one way in which a working copy changes. What changes nothing makes no version."""
        article = self.at_hand(id, match)
        if article.status == "trashed":
            raise Refused(409, "transition")
        sent = copy.deepcopy(article.document)
        for place in places(sent):
            if place.name == "citations":
                place.part["source"] = {"id": place.part["source"]}
        change(sent)
        slug = sent.get("slug") or article.document["slug"]
        if slug != article.document["slug"] and slug in self.living_slugs(but=id):
            raise Refused(409, "slug-taken")
        assert seen is not None
        document = self._complete(sent | {"slug": slug}, article.document, seen)
        if self.shown(document) != self.shown(article.document):
            article.document = document
            article.version += 1
            article.updated_at = self.now
            article.revisions.append(self.shown(document))

    def restore_revision(self, id: str, match: Match, of: tuple[int, str | None], seen: Json | None) -> None:
        """The whole document of a revision, or one field ``of`` it, becomes the working copy."""
        number, name = of
        self.at_hand(id, match)
        then = copy.deepcopy(self.articles[id].revisions[number - 1])

        def restore(document: Json) -> None:
            document.update({name: then[name]} if name else then)
            for place in places(document):
                source = place.part["source"] if place.name == "citations" else {}
                if source.get("id") and source["id"] not in self.ledger.sources:
                    # It has left the ledger: its address finds it, or makes it anew.
                    source["id"] = None
                    source["publisher"] = source["publisher"] and {"name": source["publisher"]["name"]}

        self.edit(id, match, restore, seen)

    def at_hand(self, id: str, match: Match) -> Article:
        """The article, if it is there and of the version the editor has."""
        if id not in self.articles:
            raise Refused(404, "article-unknown")
        if match is not None and match != self.articles[id].version:
            raise Refused(412, "draft-stale")
        return self.articles[id]

    def living_slugs(self, but: str | None = None) -> set[str]:
        """Slugs nobody else may take: those of working copies and those readers see."""
        others = [article for id, article in self.articles.items() if id != but]
        return {each["slug"] for article in others for each in (article.document, article.public) if each}

    def _complete(self, sent: Json, stored: Json, seen: Json) -> Json:
        """What was sent, with defaults, ids and sources."""
        claimed = {place.part.get("id") for place in places(sent)}
        known = {place.part["id"]: place.part for place in places(stored)}

        def settled(name: str, parts: list[Json], siblings: list[Json], answered: list[Json]) -> list[Json]:
            free = [
                (self._key(name, at, old), old["id"]) for at, old in enumerate(siblings) if old["id"] not in claimed
            ]
            result = []
            for at, (given, answer) in enumerate(zip(parts, answered, strict=True)):
                part = PARTS[name] | given
                if name == "citations":
                    part["source"] = self.ledger.cite(part, answer["source"])
                if part["id"] is None:
                    same = next((each for each in free if each[0] == self._key(name, at, part)), None)
                    assert same is not None or answer["id"] not in known
                    part["id"] = same[1] if same else answer["id"]
                    free = [each for each in free if each != same]
                if name == "pages":
                    part["number"] = at + 1
                if name == "sections":
                    part["anchor"] = part["anchor"] or part["id"]
                before = known.get(part["id"], {})
                for inner in PARTS.keys() & part.keys():
                    part[inner] = settled(inner, part[inner], before.get(inner, []), answer[inner])
                result.append(part)
            return result

        document: Json = {name: sent.get(name, default) for name, default in ARTICLE.items()} | {"id": seen["id"]}
        for name in ("takeaways", "pages"):
            document[name] = settled(name, document[name], stored[name], seen[name])
        document["tags"] = self.ledger.borne(document["tags"])
        return document

    def _key(self, name: str, at: int, part: Json) -> Any:
        """By what a part without an id is known to be one that is there."""
        if name == "pages":
            return at
        if name == "citations":
            return self.ledger.leads(self.ledger.sources, part["source"])
        return part["heading" if name == "sections" else "text"]

    # --------------------------------------------------------------------------------- what it goes through

    def publish(self, id: str, match: Match) -> None:
        article = self.at_hand(id, match)
        if article.status not in STANDING:
            raise Refused(409, "transition")
        if not publishable(article.document):
            raise Refused(422, "checks-failed")
        if article.public is None or self.shown(article.public) != self.shown(article.document):
            article.revised_at = self.now
            self._move(id, live=True)
        article.public, article.public_version = copy.deepcopy(article.document), article.version
        article.published_at = article.published_at or self.now
        article.status, article.in_review, article.publish_at = "published", False, None
        article.once_public.add(article.document["slug"])

    def unpublish(self, id: str, match: Match) -> None:
        article = self.at_hand(id, match)
        if article.status not in {"published", "unpublished"}:
            raise Refused(409, "transition")
        if article.status == "published":
            self._withdraw(article)
            article.status, article.unpublish_at = "unpublished", None

    def submit(self, id: str, match: Match) -> None:
        self._standing(id, match).in_review = True

    def reject(self, id: str, match: Match) -> None:
        self._standing(id, match).in_review = False

    def archive(self, id: str, match: Match) -> None:
        article = self.at_hand(id, match)
        if article.status == "trashed":
            raise Refused(409, "transition")
        self._put_away(article, "archived")

    def trash(self, id: str, match: Match) -> None:
        article = self.at_hand(id, match)
        if article.status != "trashed":
            self._put_away(article, "trashed")
            article.trashed_at = self.now

    def restore(self, id: str, match: Match) -> None:
        article = self.at_hand(id, match)
        if article.status == "published":
            raise Refused(409, "transition")
        if article.status not in STANDING:
            article.status = "unpublished" if article.published_at else "draft"
            article.trashed_at = None

    def purge(self, id: str, match: Match) -> None:
        if self.at_hand(id, match).status != "trashed":
            raise Refused(409, "transition")
        del self.articles[id]

    def schedule(self, id: str, match: Match, publish_at: str | None, unpublish_at: str | None) -> None:
        article = self._standing(id, match)
        if publish_at is None and unpublish_at is None:
            raise Refused(422, "validation")
        if publish_at and unpublish_at and unpublish_at <= publish_at:
            raise Refused(422, "validation")
        if publish_at is None and article.status != "published":
            raise Refused(409, "transition")
        if publish_at and not publishable(article.document):
            raise Refused(422, "checks-failed")
        article.publish_at, article.unpublish_at = publish_at, unpublish_at

    def unschedule(self, id: str, match: Match) -> None:
        article = self.at_hand(id, match)
        article.publish_at = article.unpublish_at = None

    def work(self, trashed_before: str) -> None:
        """What is due is done, each thing once and in its order; what was trashed long ago is purged."""
        for id, article in list(self.articles.items()):
            if article.publish_at and article.publish_at <= self.now:
                article.publish_at = None
                if publishable(article.document):
                    self.publish(id, None)
            if article.unpublish_at and article.unpublish_at <= self.now:
                if article.status == "published":
                    self.unpublish(id, None)
                article.unpublish_at = None
            if article.trashed_at and article.trashed_at <= trashed_before:
                self.purge(id, None)

    def _standing(self, id: str, match: Match) -> Article:
        article = self.at_hand(id, match)
        if article.status not in STANDING:
            raise Refused(409, "transition")
        return article

    def _put_away(self, article: Article, status: str) -> None:
        if article.status == "published":
            self._withdraw(article)
        article.status, article.in_review = status, False
        article.publish_at = article.unpublish_at = None

    def _withdraw(self, article: Article) -> None:
        article.public = article.public_version = article.revised_at = None
        self._move(article.document["id"], live=False)

    def _move(self, id: str, *, live: bool) -> None:
        self.feed[id] = live
        self.moved.add(id)

    # ------------------------------------------------------------------------------- the ledger and readers

    def change_ledger(self, change: Callable[[], object]) -> None:
        """What the ledger says anew is public at once; articles in which it changes nothing stay as they are."""
        before = {id: self.read(id) for id in self.articles}
        change()
        for id, article in self.articles.items():
            if self.read(id) != before[id]:
                article.revised_at = self.now
                self._move(id, live=True)

    def remove_source(self, id: str, match: Match) -> None:
        """Only what no working copy and no public article cites."""
        documents = [each for article in self.articles.values() for each in (article.document, article.public) if each]
        cited = {place.part["source"] for each in documents for place in places(each) if place.name == "citations"}
        self.ledger.remove_source(id, match, used={self.ledger.leads(self.ledger.sources, each) for each in cited})


def places(holder: Json) -> Iterator[Place]:
    """Every part in a document, or in a part of it, the outer ones first."""
    for name in PARTS:
        for at in range(len(holder.get(name, ()))):
            yield Place(name, holder, at)
            yield from places(holder[name][at])


def find(document: Json, id: str) -> Place:
    """The part with this id."""
    return next(place for place in places(document) if place.part["id"] == id)


def move(document: Json, id: str, how: str, target: str) -> None:
    """Put a part before or after another of its kind, or at the end of what holds its kind."""
    place = find(document, id)
    part = place.holder[place.name].pop(place.at)
    if how == "into":
        holders = [document, *(each.part for each in places(document))]
        holder = next((each for each in holders if each["id"] == target), {})
        name = next((name for name in holder.keys() & PARTS.keys() if KINDS[name] == KINDS[place.name]), None)
        if name is None:
            raise Refused(422, "validation")
        holder[name].append(part)
        return
    there = next((each for each in places(document) if each.part["id"] == target), None)
    if there is None or KINDS[there.name] != KINDS[place.name]:
        raise Refused(422, "validation")
    there.holder[there.name].insert(there.at + (how == "after"), part)


def publishable(document: Json) -> bool:
    """Whether a document passes the checks."""
    pages = document["pages"]
    if not document["title"].strip() or not pages or not pages[0]["sections"]:
        return False
    for page in pages:
        for at, section in enumerate(page["sections"]):
            headed = section["heading"] if at == 0 else section["heading"] != ""
            filled = section["body"].strip() or section["citations"]
            answered = section["answer"] or not section["question"]
            if not (headed and filled and answered):
                return False
    return True
