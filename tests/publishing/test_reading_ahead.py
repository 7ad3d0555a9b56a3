"""What other processes read ahead is all that indexing needs, and the same it would read itself."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from fastapi.testclient import TestClient
from sqlalchemy import select

from app.database import Database
from app.publishing import reading_ahead
from app.search import index
from app.search.fields import fields
from tests.conftest import Side
from tests.factories import a_document, create, published
from tests.publishing.bundles import dumped, loaded

KILLED = """
import os, time
from app.publishing import reading_ahead
with reading_ahead.pool(1) as processes:
    print(processes.submit(os.getpid).result(), flush=True)
    time.sleep(60)
"""


class TestReadingAhead:
    def test_every_text_by_which_a_public_article_is_found_is_read(
        self, client: TestClient, database: Database
    ) -> None:
        article = published(client)
        edited = {**article, "lead": "書き直し"}
        client.put(f"/v1/manage/articles/{article['id']}", json=edited, headers={"If-Match": "*"})
        public = client.get(f"/v1/articles/{article['id']}").json()
        read = reading_ahead.read(dumped(database).splitlines(), every=False)
        for field in fields(public):
            assert read[field.text] == index.reading_of(field.text)

    def test_of_what_is_not_public_only_where_it_will_be(self, client: TestClient, database: Database) -> None:
        create(client)
        lines = dumped(database).splitlines()
        assert reading_ahead.read(lines, every=False) == {}
        assert reading_ahead.read(lines, every=True)
        assert reading_ahead.read([b"{", b"[]", b"\xff", b'{"kind":"article"}'], every=True) == {}
        alone = b'{"kind":"article","document":{"title":"\\ud800"}}'
        assert reading_ahead.read([alone], every=True) == {}

    def test_the_index_is_the_same(self, both: tuple[Side, Side]) -> None:
        here, there = both
        for _ in range(3):
            published(here.client)
        bundle = dumped(here.database)
        with index.read_ahead(reading_ahead.read(bundle.splitlines(), every=False)):
            assert loaded(there.database, bundle).errors == []
        kept = []
        for side in both:
            with side.database.reading() as reader:
                words = select(
                    index.search_terms.c.term, index.search_postings.c.impact, index.search_postings.c.places
                )
                joined = words.join(index.search_postings, index.search_postings.c.term_id == index.search_terms.c.id)
                kept.append(sorted(reader.tuples(joined)))
        assert kept[0] == kept[1] != []

    def test_processes_give_portions_back_in_their_order(self) -> None:
        documents = [a_document(title=f"第{number}回の菊") for number in range(9)]
        lines = [json.dumps({"kind": "article", "document": each}).encode() for each in documents]
        portions = [lines[:4], lines[4:8], lines[8:]]
        with reading_ahead.pool(2) as processes:
            given = list(reading_ahead.ahead(processes, iter(portions), every=True))
        assert [some for some, _ in given] == portions
        assert [dict(texts) for _, texts in given] == [reading_ahead.read(some, every=True) for some in portions]

    def test_all_processes_begin_at_once_so_that_none_begins_while_another_is_found_dead(self) -> None:
        with reading_ahead.pool(2) as processes:
            assert len(processes._processes) == 2

    def test_where_a_process_is_killed_lines_come_without_readings(self) -> None:
        lines = [json.dumps({"kind": "article", "document": a_document()}).encode()]
        with reading_ahead.pool(2) as processes:
            killed = processes.submit(os.kill, os.getpid(), 0)  # a process is there once this is done
            killed.result()
            for process in list(processes._processes.values()):
                process.kill()
                process.join()
            given = list(reading_ahead.ahead(processes, iter([lines] * 9), every=True))
        assert [some for some, _ in given] == [lines] * 9
        assert given[-1][1] == {}

    def test_the_processes_end_where_whoever_began_them_is_killed(self) -> None:
        began = subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True)
        assert began.stdout is not None
        beside = int(began.stdout.readline())
        began.kill()
        began.wait()
        until = time.monotonic() + 20
        while Path(f"/proc/{beside}").exists() and time.monotonic() < until:
            time.sleep(0.1)
        assert not Path(f"/proc/{beside}").exists()
        began.stdout.close()
