"""Mirrors are right in the end, whoever publishes, whenever they are killed, whatever is forgotten meanwhile."""

from pathlib import Path

import pytest

from tests.live import served
from tests.soak import SERVERS, Soak

CHANGES = 3_000
"""``make soak`` makes 100,000."""


@pytest.mark.long
def test_mirrors_that_are_killed_and_outlive_tombstones_equal_the_source(database_url: str, tmp_path: Path) -> None:
    with served(database_url, workers=SERVERS) as address:
        report = Soak(database_url, tmp_path, CHANGES).run(address)
    assert report.right == dict.fromkeys(report.right, True)
    assert report.changes >= CHANGES
    for what in ("kills", "purges", "begun again"):
        assert report.happened[what] > 0, f"no {what}: this run shows nothing"
