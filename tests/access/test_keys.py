"""A key is shown once, found by what was shown, and falls when it is revoked or expires."""

import re

import pytest
from sqlalchemy import select

from app.access import keys, scopes
from app.access.keys import Grant
from app.access.scopes import SCOPES, Scope
from app.database import Database
from app.errors import Invalid, NotFound
from app.text import instant
from tests.conftest import Clock, a_key


def found(database: Database, presented: str, clock: Clock) -> keys.Key | None:
    with database.reading() as reader:
        return keys.find(reader, presented, clock.now)


class TestCreate:
    def test_the_secret_is_shown_and_only_its_digest_stored(self, database: Database) -> None:
        presented = a_key(database, "read")
        assert re.fullmatch(r"kiku_[0-9a-f]{12}_[0-9a-f]{64}", presented)
        with database.reading() as reader:
            rows = [*reader.rows(select(keys.keys)), *reader.rows(select(keys.key_secrets))]
        assert presented.split("_")[2] not in str([dict(row) for row in rows])

    @pytest.mark.parametrize("name", ["", "x" * 201, "a\0b", "\ud800"])
    def test_a_name_has_some_plain_characters(self, database: Database, name: str) -> None:
        with database.writing() as writer, pytest.raises(Invalid):
            keys.create(writer, Grant(name, ("read",)))

    @pytest.mark.parametrize("held", [[], ["root"]])
    def test_a_scope_is_one_of_those_that_are(self, database: Database, held: list[Scope]) -> None:
        with database.writing() as writer, pytest.raises(Invalid):
            keys.create(writer, Grant("test", tuple(held)))


class TestFind:
    def test_a_key_is_found_by_what_was_shown(self, database: Database, clock: Clock) -> None:
        key = found(database, a_key(database, "write", "publish"), clock)
        assert key is not None
        assert key.grant.scopes == ("write", "publish")

    def test_another_secret_of_the_same_key_is_not(self, database: Database, clock: Clock) -> None:
        presented = a_key(database, "read")
        assert found(database, presented[:-64] + "0" * 64, clock) is None

    @pytest.mark.parametrize("presented", ["", "kiku", "kiku_1_2", "kiku_\0_", "犬" * 100])
    def test_what_is_no_key_is_not(self, database: Database, clock: Clock, presented: str) -> None:
        assert found(database, presented, clock) is None

    def test_an_expired_one_is_not(self, database: Database, clock: Clock) -> None:
        with database.writing() as writer:
            _, presented = keys.create(writer, Grant("short", ("read",), instant(clock.now.replace(hour=4))))
        assert found(database, presented, clock) is not None
        clock.advance(hours=1)
        assert found(database, presented, clock) is None


class TestRevoke:
    def test_a_revoked_key_opens_nothing(self, database: Database, clock: Clock) -> None:
        presented = a_key(database, "read")
        key_id = presented.split("_")[1]
        for _ in range(2):
            with database.writing() as writer:
                keys.revoke(writer, key_id)
            clock.advance(minutes=1)
        assert found(database, presented, clock) is None
        with database.reading() as reader:
            (key,) = keys.list(reader)
        assert key.revoked_at == "2026-01-02T03:04:05.678Z"
        assert not key.active(clock.now)

    def test_an_unknown_one_is_not_found(self, database: Database) -> None:
        with database.writing() as writer, pytest.raises(NotFound):
            keys.revoke(writer, "nothing")


class TestScopes:
    @pytest.mark.parametrize("scope", SCOPES)
    def test_admin_includes_every_scope(self, scope: Scope) -> None:
        assert scopes.allows(["admin"], scope)

    def test_writing_and_publishing_are_two_things(self) -> None:
        assert scopes.allows(["write"], "read:drafts")
        assert scopes.allows(["publish"], "read:drafts")
        assert not scopes.allows(["write"], "publish")
        assert not scopes.allows(["publish"], "write")
        assert not scopes.allows(["read"], "read:drafts")
