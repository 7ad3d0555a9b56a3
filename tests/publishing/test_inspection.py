"""Each thing that should never be is found and told; of an instance that is well nothing is."""

from collections.abc import Callable
from datetime import datetime

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, select, update

from app.articles.slugs import slugs
from app.articles.tables import articles, revisions
from app.database import Database, Reader, Writer
from app.delivery.snapshots import snapshot_cards, snapshot_pages, snapshots
from app.publishing import inspection
from app.publishing.inspection import FAILED_DAYS
from app.search import index
from app.sync import jobs
from app.sync.changes import changes, feed
from tests.conftest import Clock
from tests.factories import create, published
from tests.publishing.bundles import furnish

Harm = Callable[[Writer, str], object]
_OTHER_GZIP = select(snapshot_pages.c.body_gzip).limit(1).scalar_subquery()
HARMS: dict[str, Harm] = {
    "its ETag is not that of its bytes": lambda w, _: w.execute(update(snapshots).values(etag='"0"')),
    "its digest is not that": lambda w, _: w.execute(update(snapshots).values(content_sha256="0")),
    "its compressed bytes": lambda w, _: w.execute(update(snapshots).values(body_gzip=_OTHER_GZIP)),
    "its compressed bytes are others": lambda w, _: w.execute(update(snapshots).values(body_gzip=b"\x1f\x8b")),
    "its card says something else": lambda w, _: w.execute(update(snapshot_cards).values(card=b"{}")),
    "its pages say something else": lambda w, _: w.execute(delete(snapshot_pages)),
    "of page 1 are not": lambda w, _: w.execute(update(snapshot_pages).values(etag='"0"')),
    "published, but readers get nothing": lambda w, _: w.execute(delete(snapshots)),
    "readers get what is not published": lambda w, _: w.execute(update(articles).values(status="archived")),
    "published, but not in the feed": lambda w, _: w.execute(update(changes).values(live=False)),
    "in the feed, but not published": lambda w, _: w.execute(delete(snapshots)),
    "its counter stands at 0": lambda w, _: w.execute(update(feed).values(number=0)),
    "published, but not found by searches": index.drop,
    "in public_sections, but not published": lambda w, _: w.execute(delete(snapshots)),
    "the latest version is no revision": lambda w, _: w.execute(delete(revisions)),
    "its slug is not its own": lambda w, _: w.execute(delete(slugs)),
}


def found(reader: Reader, now: datetime) -> list[str]:
    """All that is wrong."""
    return [*inspection.rows(reader, now), *(each for wrong in inspection.published(reader) for each in wrong)]


class TestInspection:
    def test_of_an_instance_that_is_well_nothing_is_told(
        self, client: TestClient, clock: Clock, database: Database
    ) -> None:
        furnish(client, clock)
        with database.reading() as reader:
            assert found(reader, clock()) == []

    @pytest.mark.parametrize("told", HARMS)
    def test_each_harm_is_told(self, client: TestClient, clock: Clock, database: Database, told: str) -> None:
        article = published(client)
        create(client)
        with database.writing(dry_run=True) as writer:
            HARMS[told](writer, article["id"])
            assert [each for each in found(writer, clock()) if told in each]

    def test_that_a_job_failed_is_told_for_a_week(self, database: Database, clock: Clock) -> None:
        with database.writing() as writer:
            jobs.create(writer, "nothing", {}, (0, 1))
            lease = jobs.take(writer)
            assert lease is not None
            jobs.fail(writer, lease, "internal-error", "Something failed.")
        told = f"a job failed within {FAILED_DAYS} days: {lease.id}"
        with database.reading() as reader:
            assert found(reader, clock()) == [told]
            clock.advance(days=FAILED_DAYS, seconds=-1)
            assert found(reader, clock()) == [told]
            clock.advance(seconds=1)
            assert found(reader, clock()) == []
