"""A search is bounded in time, and leaves its connection as it was."""

import pytest
from sqlalchemy import text

from app.database import Database
from app.errors import Busy


def counting(most: int) -> str:
    """A statement that takes long to answer ``most``."""
    return f"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {most}) SELECT max(n) FROM c"  # noqa: S608 - a number


class TestWithin:
    def test_a_statement_that_takes_longer_is_stopped(self, database: Database) -> None:
        with pytest.raises(Busy), database.reading() as reader, reader.within(0.05):
            reader.execute(text(counting(1_000_000_000)))

    def test_the_next_transaction_may_take_its_time(self, database: Database) -> None:
        for _ in range(12):  # more than there are connections: whichever comes back is unbounded again
            with database.reading() as reader, reader.within(0.001):
                pass
            with database.reading() as reader:
                assert reader.execute(text(counting(50_000))).scalar_one() == 50_000

    def test_a_connection_whose_statement_was_stopped_serves_again(self, database: Database) -> None:
        with pytest.raises(Busy), database.reading() as reader, reader.within(0.05):
            reader.execute(text(counting(1_000_000_000)))
        with database.reading() as reader:
            assert reader.execute(text(counting(1))).scalar_one() == 1
