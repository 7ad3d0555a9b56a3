"""Whatever OpenAPI allows, and whatever it forbids, is answered as OpenAPI says: schemathesis, on a fixed seed."""

import json
from collections import Counter
from typing import Any, get_args

import pytest
import schemathesis
from fastapi.testclient import TestClient
from pydantic_core.core_schema import ErrorType
from schemathesis.checks import CHECKS
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.core.transport import Response
from schemathesis.engine import StopReason, events, from_schema
from schemathesis.generation.case import Case

from app.database import Database
from app.formats import bundle
from app.main import create_app
from app.settings import Settings
from tests.conftest import a_key
from tests.factories import create, published

SEED = 20261124
REFUSED = (400, 401, 403, 406, 415, 422)
SAYABLE = {kind.replace("_", "-") for kind in get_args(ErrorType)} | {
    *("required", "unknown-field", "unknown-parameter", "repeated-parameter"),
    *("json-invalid", "query-invalid", "unsupported-media-type"),
}
"""Codes of what a schema can say: types, lengths, patterns, members. Who keeps to OpenAPI is never refused with one;
with others, yes: an id that is taken, a version that is stale, a slug with a character that no script has."""


BELL = "/v1/sync/events"
schemathesis.serializer.alias(bundle.MEDIA_TYPE, "text/plain")


def is_failure(_: object, failure: Failure, case: Case[Any], response: Response) -> bool:
    """Whether a check that failed tells of something wrong; its name is in ``failure.checks``."""
    if "response_schema_conformance" in failure.checks:
        # A projection has only the members asked for: tests/wire/test_paging.py.
        return "fields" not in (case.query or {})
    if "positive_data_acceptance" in failure.checks:
        return not refused_for_what_no_schema_says(case, response)
    return True


def refused_for_what_no_schema_says(case: Case[Any], response: Response) -> bool:
    if case.method == "PATCH" and response.status_code == 422:
        return True  # a patch is judged by the document it makes
    problem = json.loads(response.content)
    codes = {problem["code"], *(fault["code"] for fault in problem["errors"])}
    if case.path == "/v1/manage/imports":
        codes -= {"required", "json-invalid"}  # `page` with `into`, and never without; a bundle is JSON line by line
    return not codes & SAYABLE


def configured(key: str, *, coverage: bool) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "continue-on-failure": True,
            "cache": {"enabled": False},
            "headers": {"Authorization": f"Bearer {key}"},
            # "3" would be stale nearly everywhere; stale and broken ones are in test_preconditions.py.
            # No replica here ever comes to a number beyond the newest: tests/promises/test_replica.py.
            "parameters": {"header.If-Match": "*", "header.Kiku-Min-Seq": "0"},
            "generation": {"max-examples": 5, "database": "none", "no-shrink": True},
            "checks": {
                # 428 is how a missing If-Match is told; 413 and 414 what is too long before its parts are judged.
                "missing_required_header": {"expected-statuses": [*REFUSED, 428]},
                "negative_data_rejection": {"expected-statuses": [*REFUSED, 404, 405, 409, 413, 414, 428]},
            },
            "phases": {"coverage": {"enabled": coverage}, "stateful": {"max-steps": 10}},
        }
    )


def told(failure: Any, response: Response | None) -> str:
    answer = response and f"{response.status_code} {response.content[:1_000].decode()}"
    return f"{failure.failure.title}: {failure.failure.message}\n{failure.code_sample[:1_000]}\n{answer}"


@pytest.fixture
def key(client: TestClient, database: Database) -> str:
    for slug in ("kiku", "ume", "sakura"):
        published(client, slug=slug)
    create(client)
    return a_key(database, "admin")


@pytest.mark.long
class TestEveryOperation:
    def test_it_answers_every_request_as_it_is_described(self, database: Database, key: str) -> None:
        with database.reading() as reader:
            on_postgresql = reader.on_postgresql
        app = create_app(Settings(access_log="off"), database)
        # Seven thousand requests at the edges of every schema: nearly all are refused before any database is asked.
        config = configured(key, coverage=not on_postgresql)
        # The bell never ends: tests/promises/test_sync.py.
        schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=config).exclude(path=BELL)
        schema.hook("filter_failure")(is_failure)
        failures: list[str] = []
        seen: Counter[int] = Counter()
        operations: set[str] = set()
        ran: set[str] = set()
        stopped: StopReason | None = None
        for event in from_schema(schema).execute():
            if isinstance(event, events.NonFatalError | events.FatalError):
                failures.append(repr(event))
            if isinstance(event, events.EngineFinished):
                stopped = event.stop_reason
            if not isinstance(event, events.ScenarioFinished):
                continue
            answers = {id: i.response for id, i in event.recorder.interactions.items() if i.response}
            seen.update(answer.status_code for answer in answers.values())
            operations |= {node.value.operation.label for node in event.recorder.cases.values()}
            checks = [(id, check.failure_info) for id, nodes in event.recorder.checks.items() for check in nodes]
            ran |= {check.name for nodes in event.recorder.checks.values() for check in nodes}
            failures += [told(failure, answers.get(id)) for id, failure in checks if failure is not None]
        assert not failures, "\n\n".join([f"{len(failures)} failures", *failures[:10]])
        assert stopped is StopReason.COMPLETED
        paths = {path: item for path, item in schema.raw_schema["paths"].items() if path != BELL}
        described = {f"{method.upper()} {path}" for path, item in paths.items() for method in item}
        assert operations == described
        # All there are, but the one that holds a clock; loading the document has registered those of OpenAPI.
        assert ran == {check.__name__ for check in CHECKS.get_all()} - {"max_response_time"}
        assert len(ran) > 10
        assert {200, 201, 204, 400, 401, 404, 422} <= seen.keys()
