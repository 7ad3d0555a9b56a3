"""Couriers: threads that carry deliveries to receivers, a few of each webhook, so that a slow one holds up nobody else.

The loop that sends them is in ``app/worker.py``, one errand is in ``sender.py``, what is due in ``deliveries.py``.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from app.database import Database, Writer
from app.errors import Busy, Conflict
from app.sync import deliveries
from app.sync.deliveries import Lease
from app.sync.sender import Sender
from app.text import instant

COURIERS = 16
"""How many deliveries one process has on their way at most."""
EACH = 2
"""How many of them to one webhook."""
END_SECONDS = 3
"""How long those that are on their way at the end are waited for; another worker tries the others again."""
_CARRIED = 100
"""After how many deliveries a courier looks whom else there is."""
_TRIES = 20
"""How often it is tried to write down what came of one, a second apart: within its lease."""

T = TypeVar("T")
log = logging.getLogger("kiku.couriers")


class Couriers:
    """The couriers of one process, until ``stop`` is set."""

    def __init__(self, database: Database, sender: Sender, stop: threading.Event) -> None:
        self._database, self._sender, self._stop = database, sender, stop
        self._here: Counter[str] = Counter()
        self._changing = threading.Lock()
        # One transaction at a time: connections are for requests.
        self._turn = threading.Lock()

    def send(self) -> None:
        """Send a courier to each webhook that has something due, as far as there are any. Raises: Busy."""
        with self._turn, self._database.reading() as reader:
            waiting = deliveries.due(reader, instant(self._database.clock()))
        for webhook_id in waiting:
            with self._changing:
                if self._here.total() >= COURIERS or self._here[webhook_id] >= EACH:
                    continue
                # Daemons: a name that is looked up for minutes keeps no process from ending.
                threading.Thread(target=self._carry, args=(webhook_id,), name="kiku-courier", daemon=True).start()
                self._here[webhook_id] += 1

    def end(self) -> None:
        """Wait for those that are on their way, but not for long."""
        until = time.monotonic() + END_SECONDS
        while self._here.total() and time.monotonic() < until:
            time.sleep(0.05)

    def _carry(self, webhook_id: str) -> None:
        """Carry what is due of the webhook, one after the other."""
        try:
            lease = self._write(lambda writer: deliveries.take(writer, webhook_id))
            for _ in range(_CARRIED):
                if lease is None:
                    break
                lease = self._deliver(lease)
        except (Busy, Conflict):
            pass  # what was taken is due again when its lease is over
        except Exception:
            log.exception("a delivery failed, webhook=%s", webhook_id)
        finally:
            with self._changing:
                self._here[webhook_id] -= 1

    def _deliver(self, lease: Lease) -> Lease | None:
        """Send one, without a transaction; what comes of it is written down in that which takes the next one."""
        begun = time.monotonic()
        outcome = self._sender.send(lease.message, self._database.clock())
        duration_ms = round((time.monotonic() - begun) * 1_000)

        def record(writer: Writer) -> Lease | None:
            deliveries.record(writer, lease, outcome, duration_ms)
            return None if self._stop.is_set() else deliveries.take(writer, lease.webhook_id)

        for _ in range(_TRIES):  # else the receiver would get it again
            try:
                return self._write(record)
            except (Busy, Conflict):
                time.sleep(1)
        return None

    def _write(self, work: Callable[[Writer], T]) -> T:
        with self._turn, self._database.writing() as writer:
            return work(writer)
