"""Readers may be sent to a replica that is behind: editors never are, and who has written is never shown less."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from app.database import Database
from app.main import create_app
from app.settings import Settings
from tests.conftest import Clock, a_key
from tests.factories import a_document, create, publish, published

ANY = {"If-Match": "*"}
READS = ["/v1/articles", "/v1/articles/{id}", "/v1/search?q=菊", "/v1/questions?q=菊", "/v1/tags",
         "/v1/articles/{id}.html", "/v1/articles/{id}/bibliography", "/feeds/rss.xml", "/sitemap.xml"]  # fmt: skip


class TestSequence:
    def test_a_write_that_readers_see_tells_its_number_and_no_other_does(self, client: TestClient) -> None:
        draft = create(client)
        at = f"/v1/manage/articles/{draft['id']}"
        first = client.post(f"{at}/publish", headers=ANY).headers["kiku-seq"]
        saved = client.put(at, json=a_document(lead="別"), headers=ANY)
        dry = client.post(f"{at}/publish", headers=ANY, params={"dry_run": "true"})
        assert not {"kiku-seq"} & ({*saved.headers} | {*dry.headers})
        second = client.post(f"{at}/publish", headers=ANY).headers["kiku-seq"]
        assert int(second) == int(first) + 1

    @pytest.mark.parametrize("path", READS)
    def test_a_read_answers_from_there_on_or_not_at_all(self, client: TestClient, path: str) -> None:
        draft = create(client)
        seen = int(client.post(f"/v1/manage/articles/{draft['id']}/publish", headers=ANY).headers["kiku-seq"])
        at = path.format(id=draft["id"])
        assert client.get(at, headers={"Kiku-Min-Seq": f"{seen}"}).status_code == 200
        late = client.get(at, headers={"Kiku-Min-Seq": f"{seen + 1}"})
        assert (late.status_code, late.json()["code"], late.headers["retry-after"]) == (503, "busy", "1")
        assert client.get(at, headers={"Kiku-Min-Seq": "soon"}).status_code == 400


class TestBehind:
    """A replica that stands still, and so is as far behind as one can be."""

    @pytest.fixture
    def editor(self, apart: tuple[str, str]) -> Iterator[TestClient]:
        primary, replica = apart
        database = Database(primary, Clock(), replica_url=replica)
        settings = Settings(database_url=primary, replica_url=replica, access_log="off")
        with TestClient(create_app(settings, database)) as client:
            client.headers["Authorization"] = f"Bearer {a_key(database, 'admin')}"
            yield client
        database.close()

    def test_editors_read_what_they_saved_and_keys_stand_at_once(self, editor: TestClient) -> None:
        draft = create(editor)
        at = f"/v1/manage/articles/{draft['id']}"
        assert editor.get(at).json()["title"] == draft["title"]
        assert [each["id"] for each in editor.get("/v1/manage/articles").json()["items"]] == [draft["id"]]
        link = editor.post(f"{at}/preview-links").json()["url"]
        assert editor.get(link).json()["title"] == draft["title"]

    @pytest.mark.parametrize("path", READS)
    def test_readers_get_the_replica_and_who_has_written_is_told_to_come_back(
        self, editor: TestClient, path: str
    ) -> None:
        draft = create(editor)
        published_at = publish(editor, draft["id"])["published_at"]
        assert published_at is not None
        seen = editor.post(f"/v1/manage/articles/{published(editor)['id']}/unpublish", headers=ANY).headers["kiku-seq"]
        at = path.format(id=draft["id"])
        behind = editor.get(at)
        assert behind.status_code == 404 or draft["id"] not in behind.text
        assert editor.get(at, headers={"Kiku-Min-Seq": seen}).status_code == 503
