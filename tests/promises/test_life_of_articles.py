"""Whatever editors do, in whatever order: working copies, readers, lists, feed and search are as a plain model says.

The model is ``model.py``, what is compared ``desk.py``. Here stands what editors do, one rule for each.
"""

import copy
import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, multiple, precondition, rule, run_state_machine_as_test

from app import worker
from app.database import Database
from app.text import instant
from tests.conftest import Clock
from tests.promises import model, written
from tests.promises.desk import MERGE, PATCH, Asked, Desk
from tests.promises.model import KINDS, PARTS, Json, Place, find, places
from tests.promises.model_ledger import Entry, Refused
from tests.promises.written import at, documents, matches

T = TypeVar("T")

LIVES = int(os.environ.get("KIKU_TEST_LIVES", "10"))
"""How many are led on each database."""
STEPS = 40
ARTICLES = 5
"""How many there are at a time at most: few, so that they meet."""
TRASH_DAYS = 30

SEGMENTS = {name: name.replace("_", "-") for name in PARTS} | {"takeaways": "key-points"}
"""Where each kind of part has its address."""

articles = Bundle("articles")


class Life(Desk):
    """Editors at work. A purged article stays in the bundle: whatever is done to it is 404."""

    # ------------------------------------------------------------------------------------------- what is saved

    @initialize(target=articles, public=documents, withdrawn=documents, draft=documents)
    def begin(self, public: Json, withdrawn: Json, draft: Json) -> Any:
        """One that readers see, if it passes the checks; one they saw; one they never saw."""
        ids = [
            self.create(each | {"slug": slug}) for each, slug in ((public, "ichi"), (withdrawn, "ni"), (draft, "san"))
        ]
        for id in ids[:2]:
            self.publish_whatever_is_there(str(id))
        self.unpublish(str(ids[1]), "any")
        return multiple(*ids)

    @precondition(lambda self: len(self.model.articles) < ARTICLES)
    @rule(target=articles, document=documents, named=st.booleans())
    def make(self, document: Json, named: bool) -> Any:
        id = self.create(self.identified(document) if named else document)
        return multiple() if id is None else id

    @rule(id=articles, match=matches, changed=written.some_fields)
    def put_what_was_read_with_some_fields_changed(self, id: str, match: str, changed: Json) -> None:
        known = self.model.articles.get(id)
        sent = (self.model.resource(known) if known else {"title": "菊"}) | changed
        self.edit(id, match, Asked("PUT", article(id), sent), lambda document: replace(document, sent))

    @rule(id=articles, match=matches, sent=documents)
    def put_a_document_without_ids(self, id: str, match: str, sent: Json) -> None:
        self.edit(id, match, Asked("PUT", article(id), sent), lambda document: replace(document, sent))

    @rule(id=articles, match=matches, changed=written.some_fields)
    def merge_patch(self, id: str, match: str, changed: Json) -> None:
        self.edit(id, match, Asked("PATCH", article(id), changed, MERGE), lambda document: document.update(changed))

    @rule(id=articles, match=matches, slug=written.slugs)
    def give_another_slug(self, id: str, match: str, slug: str) -> None:
        self.merge_patch(id, match, {"slug": slug})

    @rule(id=articles, match=matches, lead=written.texts, tested=written.texts, point=written.key_points)
    def json_patch(self, id: str, match: str, lead: str, tested: str, point: Json) -> None:
        operations = [
            {"op": "test", "path": "/lead", "value": tested},
            {"op": "replace", "path": "/lead", "value": lead},
            {"op": "add", "path": "/takeaways/-", "value": point},
        ]

        def change(document: Json) -> None:
            if document["lead"] != tested:
                raise Refused(409, "patch-test-failed")
            document["lead"] = lead
            document["takeaways"].append(point)

        self.edit(id, match, Asked("PATCH", article(id), operations, PATCH), change)

    @rule(id=articles, match=matches, where=at, name=st.sampled_from([None, None, "lead", "title", "conclusion"]))
    def restore_a_revision(self, id: str, match: str, where: int, name: str | None) -> None:
        known = self.model.articles.get(id)
        if known is None:
            return
        number, version = where % known.version + 1, self.version(id, match)
        asked = Asked("POST", article(id, f"revisions/{number}/restore"), {"parts": [f"/{name}"]} if name else None)
        self.save(id, match, asked, lambda seen: self.model.restore_revision(id, version, (number, name), seen))

    # --------------------------------------------------------------------------------------------------- parts

    @rule(id=articles, match=matches, where=at, data=st.data())
    def add_a_part(self, id: str, match: str, where: int, data: st.DataObject) -> None:
        known = self.model.articles.get(id)
        if known is None:
            return
        holders = [("articles", known.document), *((place.name, place.part) for place in self.parts(id))]
        lists = [(holder, part["id"], name) for holder, part in holders for name in PARTS if name in part]
        holder, holder_id, name = lists[where % len(lists)]
        part = data.draw(written.bodies[name], label=name)

        def add(document: Json) -> None:
            (document if holder_id == id else find(document, holder_id).part)[name].append(part)

        self.edit(id, match, Asked("POST", f"/v1/manage/{holder}/{holder_id}/{name.replace('_', '-')}", part), add)

    @rule(id=articles, match=matches, where=at, data=st.data())
    def change_a_part(self, id: str, match: str, where: int, data: st.DataObject) -> None:
        place = one(self.parts(id), where)
        if place is None:
            return
        part_id = place.part["id"]
        changed = data.draw(st.fixed_dictionaries({}, optional=written.edits[place.name]), label=place.name)
        asked = Asked("PATCH", part(place), changed, MERGE)
        self.edit(id, match, asked, lambda document: find(document, part_id).part.update(changed))

    @rule(id=articles, match=matches, where=at)
    def remove_a_part(self, id: str, match: str, where: int) -> None:
        place = one(self.parts(id), where)
        if place is None:
            return
        part_id = place.part["id"]

        def remove(document: Json) -> None:
            found = find(document, part_id)
            del found.holder[found.name][found.at]

        self.edit(id, match, Asked("DELETE", part(place)), remove)

    @rule(id=articles, match=matches, where=at, there=at, how=st.sampled_from(["before", "after", "into", "nowhere"]))
    def move_a_part(self, id: str, match: str, where: int, there: int, how: str) -> None:
        place = one(self.parts(id), where)
        if place is None:
            return
        part_id, document = place.part["id"], self.model.articles[id].document
        holders = [document, *(each.part for each in self.parts(id))]
        targets = {
            "into": [each for each in holders if any(KINDS.get(name) == KINDS[place.name] for name in each)],
            "nowhere": holders,
        }.get(how, [each.part for each in self.parts(id) if KINDS[each.name] == KINDS[place.name]])
        how, target = "into" if how == "nowhere" else how, targets[there % len(targets)]["id"]
        asked = Asked("POST", f"{part(place)}/move", {how: target})
        self.edit(id, match, asked, lambda document: model.move(document, part_id, how, target))

    # -------------------------------------------------------------------------------------- what it goes through

    @rule(id=articles, match=matches)
    def publish(self, id: str, match: str) -> None:
        self.step(id, match, Asked("POST", article(id, "publish")), self.model.publish)

    @rule(id=articles)
    def publish_whatever_is_there(self, id: str) -> None:
        self.publish(id, "any")

    @rule(id=articles, match=matches)
    def unpublish(self, id: str, match: str) -> None:
        self.step(id, match, Asked("POST", article(id, "unpublish")), self.model.unpublish)

    @rule(id=articles, match=matches, name=st.sampled_from(["submit", "reject"]))
    def review(self, id: str, match: str, name: str) -> None:
        self.step(id, match, Asked("POST", article(id, name)), getattr(self.model, name))

    @rule(id=articles, match=matches, name=st.sampled_from(["archive", "trash", "purge"]))
    def put_away(self, id: str, match: str, name: str) -> None:
        asked = {
            "archive": Asked("POST", article(id, "archive")),
            "trash": Asked("DELETE", article(id)),
            "purge": Asked("DELETE", f"{article(id)}?purge=true"),
        }
        self.step(id, match, asked[name], getattr(self.model, name))

    @rule(id=articles, match=matches)
    def restore(self, id: str, match: str) -> None:
        self.step(id, match, Asked("POST", article(id, "restore")), self.model.restore)

    @rule(id=articles, match=matches, planned=written.planned)
    def schedule(self, id: str, match: str, planned: tuple[int | None, int | None]) -> None:
        publish_at, unpublish_at = (
            None if minutes is None else instant(self.clock.now + timedelta(minutes=minutes)) for minutes in planned
        )
        asked = Asked("PUT", article(id, "schedule"), {"publish_at": publish_at, "unpublish_at": unpublish_at})
        self.step(id, match, asked, lambda _, version: self.model.schedule(id, version, publish_at, unpublish_at))

    @rule(id=articles, match=matches)
    def unschedule(self, id: str, match: str) -> None:
        self.step(id, match, Asked("DELETE", article(id, "schedule")), self.model.unschedule)

    @rule(minutes=st.sampled_from([-45, 1, 60, 24 * 60, TRASH_DAYS * 24 * 60]))
    def let_time_pass(self, minutes: int) -> None:
        """The clock is moved, and the worker does what is due; set back, it does nothing again."""
        self.clock.advance(minutes=minutes)
        self.model.now = instant(self.clock.now)
        while worker.run_schedule(self.database):
            pass
        while worker.purge_trashed(self.database, TRASH_DAYS):
            pass
        worker.count_words(self.database)
        self.model.work(instant(self.clock.now - timedelta(days=TRASH_DAYS)))

    # -------------------------------------------------------------------------------------------------- ledger

    @rule(where=at, match=matches, title=written.texts, name=st.none() | written.names, date=written.dates)
    def change_a_source(self, where: int, match: str, title: str, name: str | None, date: str) -> None:
        ledger = self.model.ledger
        source = one([*ledger.sources.values()], where)
        if source is None:
            return
        named = {"id": None, "name": name} if name else None
        sent = {"title": title, "published_on": date, "publisher": named}

        def change(version: int | None, said: Json) -> None:
            publisher = said.get("publisher") or {}
            ledger.change_source(source.id, version, sent | {"publisher": name}, publisher.get("id"))

        self.change_entry(source, match, Asked("PATCH", f"/v1/manage/sources/{source.id}", sent, MERGE), change)

    @rule(where=at, match=matches)
    def remove_a_source(self, where: int, match: str) -> None:
        source = one([*self.model.ledger.sources.values()], where)
        if source is None:
            return
        asked = Asked("DELETE", f"/v1/manage/sources/{source.id}")
        self.change_entry(source, match, asked, lambda version, _: self.model.remove_source(source.id, version))

    @rule(where=at, match=matches, name=written.names)
    def rename_a_publisher(self, where: int, match: str, name: str) -> None:
        ledger = self.model.ledger
        publisher = one([*ledger.publishers.values()], where)
        if publisher is None:
            return
        asked = Asked("PATCH", f"/v1/manage/publishers/{publisher.id}", {"name": name}, MERGE)
        self.change_entry(publisher, match, asked, lambda version, _: ledger.rename(publisher.id, version, name))

    @rule(kind=st.sampled_from(["sources", "publishers", "tags"]), where=at, there=at, match=matches)
    def merge(self, kind: str, where: int, there: int, match: str) -> None:
        ledger = self.model.ledger
        entries: dict[str, Entry] = getattr(ledger, kind)
        entry = one([*entries.values()], where)
        if entry is None:
            return
        into = [*entries][there % len(entries)]
        asked = Asked("POST", f"/v1/manage/{kind}/{entry.id}/merge", {"into": into})
        merging = ledger.merge_publishers if kind == "publishers" else None

        def change(version: int | None, _: Json) -> None:
            if merging is None:
                ledger.merge(entries, entry.id, into, version)
            else:
                merging(entry.id, into, version)

        self.change_entry(entry, match, asked, change)

    def parts(self, id: str) -> list[Place]:
        """Every part of an article; none of one that is not there."""
        known = self.model.articles.get(id)
        return list(places(known.document)) if known else []


def one(found: Sequence[T], where: int) -> T | None:
    """One of them; None where there are none."""
    return found[where % len(found)] if found else None


def article(id: str, step: str = "") -> str:
    return f"/v1/manage/articles/{id}" + (f"/{step}" if step else "")


def part(place: Place) -> str:
    return f"/v1/manage/{SEGMENTS[place.name]}/{place.part['id']}"


def replace(document: Json, sent: Json) -> None:
    """Put what was sent in the place of a document."""
    document.clear()
    document.update(copy.deepcopy(sent))


@pytest.mark.long
def test_whatever_is_done_in_whatever_order_all_is_as_the_model_says(
    client: TestClient, database: Database, clock: Clock
) -> None:
    # Health is about time, and a step is some thirty requests.
    options = settings(max_examples=LIVES, stateful_step_count=STEPS, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(lambda: Life(client, database, clock), settings=options)  # type: ignore[arg-type]
