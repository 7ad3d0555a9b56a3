"""How often may be asked is told with every answer, held by key or by address, and refused with 429."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from hypothesis import given
from hypothesis import strategies as st

from app.database import Database
from app.errors import TooMany
from app.main import create_app
from app.settings import Settings
from app.wire.limits import Rates
from tests.conftest import Clock, a_key
from tests.factories import a_document

MANAGED = "/v1/manage/articles"


@contextmanager
def asking(database: Database, address: str = "192.0.2.7", **settings: object) -> Iterator[TestClient]:
    """A client at that address of an application that lets each ask three times a minute."""
    chosen = Settings(access_log="off", **{"rate_limit": "3/60s", **settings})  # type: ignore[arg-type]
    with TestClient(create_app(chosen, database), raise_server_exceptions=False, client=(address, 1)) as client:
        yield client


@pytest.fixture
def asker(database: Database) -> Iterator[TestClient]:
    with asking(database) as client:
        yield client


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def refused(answer: Response) -> bool:
    return answer.status_code == 429


class TestByAddress:
    @pytest.mark.parametrize(
        "path",
        ["/v1/articles", "/v1/articles/nothing", "/v1/search?q=菊", "/openapi.json", "/feeds/atom.xml", "/sitemap.xml"],
    )
    def test_the_fourth_of_three_is_refused_and_told_when_to_come_back(
        self, asker: TestClient, clock: Clock, path: str
    ) -> None:
        clock.now = clock.now.replace(second=10, microsecond=0)
        told = [asker.get(path).headers["ratelimit"] for _ in range(3)]
        assert told == ['"default";r=2;t=50', '"default";r=1;t=50', '"default";r=0;t=70']  # then one more is free
        answer = asker.get(path)
        assert refused(answer)
        assert answer.json()["code"] == "rate-limited"
        assert answer.headers["ratelimit-policy"] == '"default";q=3;w=60'
        assert answer.headers["x-request-id"] == answer.json()["request_id"]
        assert answer.headers["access-control-allow-origin"] == "*"
        clock.advance(seconds=int(answer.headers["retry-after"]))
        assert not refused(asker.get(path))

    def test_a_304_is_counted_as_well(self, asker: TestClient) -> None:
        etag = asker.get("/v1/articles").headers["etag"]
        answers = [asker.get("/v1/articles", headers={"If-None-Match": etag}) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [304, 304, 429]

    def test_each_has_its_own_and_a_network_of_ipv6_is_one(self, database: Database) -> None:
        counted: list[str] = []
        with asking(database, "2001:db8::1") as client:
            for address in ("2001:db8::1", "2001:db8::ffff", "2001:db8:0:1::1", "192.0.2.7", "::ffff:192.0.2.7"):
                client._transport.client = (address, 1)  # type: ignore[attr-defined]
                counted.append(client.get("/v1/articles").headers["ratelimit"].split(";")[1])
        assert counted == ["r=2", "r=1", "r=2", "r=2", "r=1"]

    def test_probes_and_preflights_are_free(self, asker: TestClient) -> None:
        preflight = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
        for _ in range(5):
            assert asker.get("/health/live").status_code == 200
            assert asker.options("/v1/articles", headers=preflight).status_code == 200
        assert "ratelimit" not in asker.get("/health/ready").headers
        assert asker.get("/v1/articles").status_code == 200

    def test_who_tries_keys_is_counted_by_address(self, asker: TestClient) -> None:
        answers = [asker.get(MANAGED, headers=bearer(f"kiku_{n:012}_{'0' * 64}")) for n in range(4)]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429]


class TestByKey:
    def test_each_key_has_its_own_wherever_it_asks_from(self, database: Database) -> None:
        one, other = a_key(database, "write"), a_key(database, "write")
        with asking(database) as client:
            for _ in range(3):
                assert client.get(MANAGED, headers=bearer(one)).status_code == 200
            client._transport.client = ("198.51.100.1", 1)  # type: ignore[attr-defined]
            assert refused(client.get(MANAGED, headers=bearer(one)))
            assert client.get(MANAGED, headers=bearer(other)).headers["ratelimit"].startswith('"default";r=2;')

    def test_a_key_may_have_a_limit_of_its_own_also_where_there_is_none_for_all(
        self, client: TestClient, database: Database
    ) -> None:
        sent = {"name": "mirror", "scopes": ["read:drafts"], "rate_limit": "1/10s"}
        key = client.post("/v1/manage/keys", json=sent).json()["key"]
        with asking(database, rate_limit="off") as asker:
            assert "ratelimit" not in asker.get("/v1/articles").headers
            first, second = (asker.get(MANAGED, headers=bearer(key)) for _ in range(2))
        assert first.headers["ratelimit-policy"] == '"default";q=1;w=10'
        assert (first.status_code, second.status_code) == (200, 429)

    def test_reading_with_a_key_that_is_asked_for_counts_for_the_key(self, database: Database) -> None:
        key = a_key(database, "read")
        with asking(database, read_keys="required") as client:
            answers = [client.get("/v1/articles", headers=bearer(key)) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]

    def test_each_operation_of_a_batch_counts_and_too_many_store_nothing(self, database: Database) -> None:
        key = a_key(database, "write")

        def send(client: TestClient, size: int) -> Response:
            operations = [{"method": "POST", "path": MANAGED, "body": a_document()}] * size
            return client.post("/v1/manage/batch", json={"operations": operations}, headers=bearer(key))

        with asking(database) as client:
            never = send(client, 5)
            assert (never.status_code, never.json()["code"]) == (413, "batch-too-large")
        with asking(database) as client:
            assert send(client, 2).headers["ratelimit"].startswith('"default";r=1;')
            answer = send(client, 2)
            assert refused(answer)
            assert int(answer.headers["retry-after"]) > 0
        with asking(database) as client:
            assert len(client.get(MANAGED, headers=bearer(key)).json()["items"]) == 2


class TestTheWindow:
    def test_it_slides(self, asker: TestClient, clock: Clock) -> None:
        clock.now = clock.now.replace(second=59, microsecond=0)
        for _ in range(3):
            asker.get("/v1/articles")
        clock.advance(seconds=2)  # one second into the next
        assert refused(asker.get("/v1/articles"))
        clock.advance(seconds=30)
        assert not refused(asker.get("/v1/articles"))

    @given(st.lists(st.floats(0, 40), max_size=60), st.integers(1, 5), st.integers(1, 30))
    def test_no_window_holds_more_than_twice_and_who_waits_as_told_is_let_in(
        self, pauses: list[float], amount: int, seconds: int
    ) -> None:
        clock = Clock()
        rates = Rates(Settings(rate_limit=f"{amount}/{seconds}s"), clock)
        allowed: list[float] = []
        for pause in pauses:
            clock.advance(seconds=pause)
            try:
                rates.charge_key({}, "k", None)
            except TooMany as error:
                clock.advance(seconds=error.retry_after_seconds)
                rates.charge_key({}, "k", None)
            now = clock.now.timestamp()
            allowed = [at for at in allowed if at > now - seconds] + [now]
            assert len(allowed) <= 2 * amount


@pytest.mark.parametrize("wrong", ["600", "0/60s", "600/0s", "600/60m", "x", "-1/60s"])
def test_a_setting_that_says_nothing_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="rate_limit"):
        Settings(rate_limit=wrong)
