"""What Kiku promises about sources, publishers and tags, as dictionaries and nothing else.

The articles that carry them are in ``model.py``. How an address is made canonical is not computed here: the
spellings of each piece's address are listed.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

Json = dict[str, Any]
Match = int | None

SPELLINGS = {
    f"https://news.example.jp/{number}": (
        f"https://news.example.jp/{number}",
        f"http://NEWS.example.jp:80/{number}/",
        f"https://news.example.jp/{number}?utm_source=kiku#top",
    )
    for number in range(5)
}
"""Every piece there is to cite, by its canonical address, with what else leads to it."""
PIECES = {url: piece for piece, spelled in SPELLINGS.items() for url in spelled}


class Refused(Exception):
    """Kiku refuses it with this status and code, and nothing has changed."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(status, code)
        self.status, self.code = status, code


@dataclass
class Entry:
    """What sources, publishers and tags have in common; a tag has nothing else."""

    id: str
    version: int = 1
    merged_into: str | None = None


@dataclass
class Publisher(Entry):
    name: str = ""
    aliases: list[str] = field(default_factory=list)

    @property
    def called(self) -> set[str]:
        """What it is found by."""
        return {unicodedata.normalize("NFKC", name) for name in (self.name, *self.aliases)}


@dataclass
class Source(Entry):
    url: str = ""
    title: str = ""
    published_on: str | None = None
    publisher: str | None = None

    @property
    def piece(self) -> str:
        return PIECES[self.url]


E = TypeVar("E", bound=Entry)


class Ledger:
    """Each source, publisher and tag once. A merged one stays, and leads to the other."""

    def __init__(self) -> None:
        self.sources: dict[str, Source] = {}
        self.publishers: dict[str, Publisher] = {}
        self.tags: dict[str, Entry] = {}

    # ------------------------------------------------------------------------------- what articles see of it

    def leads(self, entries: Mapping[str, Entry], id: str) -> str:
        """The id of what an entry is now."""
        return entries[id].merged_into or id

    def cited(self, id: str) -> Json:
        """A source as a citation shows it."""
        source = self.sources[self.leads(self.sources, id)]
        publisher = self.publishers[source.publisher] if source.publisher else None
        return {
            "id": source.id,
            "url": source.url,
            "title": source.title,
            "publisher": publisher and {"id": publisher.id, "name": publisher.name},
            "published_on": source.published_on,
            "authors": [],
            "language": None,
            "type": "article-newspaper",
            "image": None,
        }

    def followed(self, tags: Iterable[str]) -> list[str]:
        """The tags, each once, a merged one as what it is now."""
        return list(dict.fromkeys(self.leads(self.tags, tag) if tag in self.tags else tag for tag in tags))

    def borne(self, tags: Iterable[str]) -> list[str]:
        """The tags of an article that is saved: those that are not there yet are made."""
        followed = self.followed(tags)
        for tag in followed:
            self.tags.setdefault(tag, Entry(tag))
        return followed

    def cite(self, citation: Json, answered: Json) -> str:
        """The id of a citation's source, named by id or found by its address, else made of what was sent.

        What the citation prints differently stays on it; what it prints alike becomes null. ``answered``: where Kiku
        has chosen ids.
        """
        sent = citation["source"]
        if sent.get("id"):
            return self.leads(self.sources, sent["id"])
        source = next((each for each in self.sources.values() if each.piece == PIECES[sent["url"]]), None)
        if source is None:
            source = self._make(citation, answered)
        ledger = self.cited(source.id)
        name = ledger["publisher"]["name"] if ledger["publisher"] else ""
        said = {
            "display_title": (sent.get("title"), ledger["title"]),
            "publisher_text": ((sent.get("publisher") or {}).get("name"), name),
            "published_on": (sent.get("published_on"), ledger["published_on"]),
            "url": (sent["url"], ledger["url"]),
        }
        for field_name, (inline, known) in said.items():
            printed = inline if citation[field_name] is None else citation[field_name]
            citation[field_name] = None if printed == known else printed
        return str(ledger["id"])

    def _make(self, citation: Json, answered: Json) -> Source:
        sent = citation["source"]
        assert answered["id"] not in self.sources
        title = citation["display_title"] if sent.get("title") is None else sent["title"]
        made = Source(
            answered["id"],
            url=sent["url"],
            title=title or "",
            published_on=sent.get("published_on") or citation["published_on"],
        )
        if sent.get("publisher"):
            made.publisher = self._publisher(sent["publisher"]["name"], answered["publisher"]["id"])
        self.sources[made.id] = made
        return made

    def _publisher(self, name: str, answered: str) -> str:
        """The id of the publisher who is called so; made, with the id that Kiku chose, where nobody is."""
        known = self.called(name)
        if known is None:
            assert answered not in self.publishers
            known = self.publishers[answered] = Publisher(answered, name=name)
        return known.id

    def called(self, name: str) -> Publisher | None:
        """Who bears a name, or has it as an alias."""
        wanted = unicodedata.normalize("NFKC", name)
        living = (each for each in self.publishers.values() if each.merged_into is None)
        return next((each for each in living if wanted in each.called), None)

    # --------------------------------------------------------------------------------- what is changed in it

    def change_source(self, id: str, match: Match, changes: Json, answered: str | None = None) -> None:
        """``changes``: title, published_on, publisher (a name, or None); ``answered``: a new publisher's id."""
        source = self._at_hand(self.sources, id, match)
        changed = dict(changes)
        if changed.get("publisher") is not None:
            changed["publisher"] = self._publisher(changed["publisher"], answered or "")
        if any(getattr(source, name) != value for name, value in changed.items()):
            for name, value in changed.items():
                setattr(source, name, value)
            source.version += 1

    def rename(self, id: str, match: Match, name: str) -> None:
        publisher = self._at_hand(self.publishers, id, match)
        if publisher.name == name:
            return
        bearer = self.called(name)
        if bearer is not None and bearer is not publisher:
            raise Refused(409, "publisher-name-taken")
        publisher.name = name
        publisher.version += 1

    def merge(self, entries: Mapping[str, Entry], id: str, into: str, match: Match) -> bool:
        """Whoever names the one gets the other from now on; says whether that was new."""
        entry, there = entries[id], entries[self.leads(entries, into)]
        if entry.merged_into == there.id:
            return False
        self._at_hand(entries, id, match)
        if entry is there:
            raise Refused(422, "validation")
        for each in entries.values():
            if each.merged_into == id:
                each.merged_into = there.id
        entry.merged_into = there.id
        entry.version += 1
        return True

    def merge_publishers(self, id: str, into: str, match: Match) -> None:
        """The names of the one become aliases of the other, its sources are the other's."""
        if not self.merge(self.publishers, id, into, match):
            return
        old, there = self.publishers[id], self.publishers[self.leads(self.publishers, into)]
        gained = [name for name in (old.name, *old.aliases) if name not in {there.name, *there.aliases}]
        if gained:
            there.aliases += gained
            there.version += 1
        for source in self.sources.values():
            if source.publisher == id:
                source.publisher = there.id
                source.version += 1

    def remove_source(self, id: str, match: Match, used: set[str]) -> None:
        self._at_hand(self.sources, id, match)
        if id in used:
            raise Refused(409, "source-in-use")
        self.sources = {key: each for key, each in self.sources.items() if id not in {key, each.merged_into}}

    def _at_hand(self, entries: Mapping[str, E], id: str, match: Match) -> E:
        if entries[id].merged_into is not None:
            raise Refused(409, "merged")
        if match is not None and match != entries[id].version:
            raise Refused(412, "draft-stale")
        return entries[id]
