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
from app.sync.deliveries import LEASE_SECONDS, Lease, Waiting
from app.sync.sender import Outcome, Sender
from app.text import instant

COURIERS = 16
"""How many deliveries one process has on their way at most."""
SPARE = COURIERS // 2
"""How many of them go to webhooks of which calls fail; a webhook's second one is sent only while there are fewer."""
EACH = 2
"""How many of them to one webhook, of which no call fails."""
END_SECONDS = 3
"""How long those that are on their way at the end are waited for; another worker tries the others again."""
CARRY_SECONDS = 1
"""After how long a courier takes no more of its webhook: others may wait for a courier."""

T = TypeVar("T")
log = logging.getLogger("kiku.couriers")


class Couriers:
    """The couriers of one process, until ``stop`` is set."""

    def __init__(self, database: Database, sender: Sender, stop: threading.Event) -> None:
        self._database, self._sender, self._stop = database, sender, stop
        self._here: Counter[str] = Counter()
        self._failing: set[str] = set()
        self._changing = threading.Lock()
        # One transaction at a time: connections are for requests.
        self._turn = threading.Lock()

    def send(self) -> None:
        """Send a courier to each webhook that has something due, as far as there are any. Raises: Busy."""
        with self._turn, self._database.reading() as reader:
            waiting = deliveries.due(reader, instant(self._database.clock()))
        for each in waiting:
            with self._changing:
                if not self._may(each):
                    continue
                # Daemons: a name that is looked up for minutes keeps no process from ending.
                threading.Thread(target=self._carry, args=(each.webhook_id,), name="kiku-courier", daemon=True).start()
                self._here[each.webhook_id] += 1
                if each.failing:
                    self._failing.add(each.webhook_id)

    def end(self) -> None:
        """Wait for those that are on their way, but not for long."""
        until = time.monotonic() + END_SECONDS
        while self._here.total() and time.monotonic() < until:
            time.sleep(0.05)

    def _may(self, waiting: Waiting) -> bool:
        """Whether a courier can be spared: those who answer find one, however many others do not, or are slow."""
        mine, all = self._here[waiting.webhook_id], self._here.total()
        if waiting.failing:
            return not mine and len(self._failing) < SPARE and all < COURIERS
        return mine < EACH and all < (SPARE if mine else COURIERS)

    def _carry(self, webhook_id: str) -> None:
        """Carry what is due of the webhook for a while, one after the other."""
        until = time.monotonic() + CARRY_SECONDS
        try:
            lease = self._write(lambda writer: deliveries.take(writer, webhook_id))
            while lease is not None:
                lease = self._deliver(lease, until)
        except (Busy, Conflict):
            pass  # what was taken is due again when its lease is over
        except Exception:
            log.exception("a delivery failed, webhook=%s", webhook_id)
        finally:
            with self._changing:
                self._here[webhook_id] -= 1
                self._failing.discard(webhook_id)

    def _deliver(self, lease: Lease, until: float) -> Lease | None:
        """Send one, without a transaction; what comes of it is written down in that which takes the next one.

        After ``until`` none is taken: what a courier has taken it sends.
        """
        begun = time.monotonic()
        try:
            outcome = self._sender.send(lease.message, self._database.clock())
        except Exception:  # recorded all the same: else it would be sent again for ever
            log.exception("a delivery failed, id=%s", lease.id)
            outcome = Outcome(None, "answer-invalid")
        duration_ms = round((time.monotonic() - begun) * 1_000)

        def record(writer: Writer) -> Lease | None:
            deliveries.record(writer, lease, outcome, duration_ms)
            goes_on = time.monotonic() < until and not self._stop.is_set()
            return deliveries.take(writer, lease.webhook_id) if goes_on else None

        while True:  # until another may take it: else the receiver gets it again
            try:
                return self._write(record)
            except (Busy, Conflict):
                if time.monotonic() > begun + LEASE_SECONDS:
                    raise
                time.sleep(1)

    def _write(self, work: Callable[[Writer], T]) -> T:
        with self._turn, self._database.writing() as writer:
            return work(writer)
