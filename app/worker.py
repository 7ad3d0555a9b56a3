"""The worker: a loop that runs what is due, and one beside it that tells webhooks, whose receivers may be slow.

``kiku serve`` has one in each process, ``kiku work`` is one alone. What a job does stands in the room of its kind; its
rows are in ``app/sync/jobs.py``.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from typing import NamedTuple

from app.access import idempotency, keys
from app.access.keys import Uses
from app.database import Database, Writer
from app.errors import Busy, Conflict, KikuError
from app.publishing import import_jobs, ledger, lifecycle
from app.publishing.import_jobs import Around
from app.search import index
from app.sync import changes, deliveries, events, jobs, uploads
from app.sync.couriers import Couriers
from app.sync.jobs import Lease
from app.sync.sender import Sender
from app.text import instant

JOB_SECONDS = 1
"""How long a job goes on before it is looked what else is due: a schedule must not wait for an import's end."""
POLL_SECONDS = 1
"""How long the loop rests when nothing is due."""

log = logging.getLogger("kiku.worker")

_STEPS: dict[str, Callable[[Writer, Lease], Lease | None]] = {
    ledger.JOB: ledger.step,
    import_jobs.JOB: import_jobs.step,
}


class Kept(NamedTuple):
    """How many days what is gone is kept: in the trash (0: for good), and as tombstones for mirrors."""

    trash_days: int
    tombstone_days: int


@contextmanager
def beside(database: Database, kept: Kept, sender: Sender, uses: Uses | None = None) -> Iterator[None]:
    """A worker in threads of its own for the length of the block; its step is finished at the end."""
    stop = threading.Event()
    threads = (
        threading.Thread(target=run, args=(database, stop, kept, uses), name="kiku-worker", daemon=True),
        threading.Thread(target=run_deliveries, args=(database, stop, sender), name="kiku-webhooks", daemon=True),
    )
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def run(database: Database, stop: threading.Event, kept: Kept, uses: Uses | None = None) -> None:
    """Run what is due until ``stop`` is set. A database that is away is waited for.

    ``uses``: of the keys of the process it runs in.
    """
    while not stop.is_set():
        busy = _look_after(database, kept, uses)
        if not _attempt(lambda: run_due(database, stop, lambda: _look_after(database, kept, uses))) and not busy:
            stop.wait(POLL_SECONDS)
    _attempt(lambda: uses is not None and record_uses(database, uses))


def _look_after(database: Database, kept: Kept, uses: Uses | None) -> bool:
    """Do a little of all that is due but jobs; says whether there may be more of it."""
    # Apart: what keeps the one from its work must not keep the others. Counting can wait for the next look.
    _attempt(lambda: count_words(database))
    busy = _attempt(lambda: run_schedule(database))
    _attempt(lambda: purge_answers(database))
    _attempt(lambda: purge_uploads(database))
    _attempt(lambda: purge_tombstones(database, kept.tombstone_days))
    _attempt(lambda: uses is not None and record_uses(database, uses))
    return (kept.trash_days > 0 and _attempt(lambda: purge_trashed(database, kept.trash_days))) or busy


def run_deliveries(database: Database, stop: threading.Event, sender: Sender) -> None:
    """Tell webhooks what happened until ``stop`` is set; what is on its way then is waited for some seconds."""
    couriers = Couriers(database, sender, stop)
    while not stop.is_set():
        busy = _attempt(lambda: tell(database))
        _attempt(couriers.send)
        busy = _attempt(lambda: purge_events(database)) or busy
        if not busy:
            stop.wait(POLL_SECONDS)
    couriers.end()


def _attempt(work: Callable[[], bool | None]) -> bool:
    """Whether ``work`` says that something was done; False where it could not be done now."""
    try:
        return bool(work())
    except (Busy, Conflict):
        return False
    except Exception:
        log.exception("unexpected failure")
        return False


def count_words(database: Database) -> bool:
    """Count the words of what was published since, for search; says whether there was anything.

    Raises: Busy; Conflict.
    """
    with database.reading() as reader:
        if not index.uncounted(reader):
            return False
    with database.writing() as writer:
        return index.count(writer)


def run_schedule(database: Database) -> bool:
    """Publish or withdraw the next articles whose planned instant has come; says whether anything was done.

    What is planned is struck off in the transaction that does it: no other worker, and no restart, does it again.
    Each article for itself: one that cannot be published keeps no other waiting. Raises: Busy.
    """
    with database.reading() as reader:
        ids = lifecycle.due(reader, instant(database.clock()))
    done = [_carry_out(database, id) for id in ids]
    return any(done)


def _carry_out(database: Database, article_id: str) -> bool:
    """Whether what is due of the article is done, or given up; False where it is a matter of time."""
    try:
        with database.writing() as writer:
            lifecycle.carry_out(writer, article_id)
    except Busy:
        raise
    except KikuError as error:
        if error.code == "write-conflict":
            return False
        code = error.code
    except Exception:
        log.exception("a scheduled publication failed, article=%s", article_id)
        code = "internal-error"
    else:
        return True
    with database.writing() as writer:
        lifecycle.give_up(writer, article_id, code)
    return True


def purge_answers(database: Database) -> bool:
    """Remove the answers to idempotent requests that are kept no longer; says whether there were any. Raises: Busy."""
    with database.reading() as reader:
        if not idempotency.any_expired(reader, instant(database.clock())):
            return False
    with database.writing() as writer:
        idempotency.purge(writer)
    return True


def purge_uploads(database: Database) -> bool:
    """Remove bodies that no job will read any more; says whether there were any. Raises: Busy."""
    before = instant(database.clock() - timedelta(hours=uploads.KEPT_HOURS))
    with database.reading() as reader:
        if not uploads.any_left(reader, before):
            return False
    with database.writing() as writer:
        uploads.purge(writer, before)
    return True


def record_uses(database: Database, uses: Uses) -> bool:
    """Write down when the keys of this process were used; says whether any was. Raises: Busy."""
    taken = uses.take()
    if not taken:
        return False
    try:
        with database.writing() as writer:
            keys.record_uses(writer, taken)
    except Busy:
        uses.give_back(taken)
        raise
    return True


def purge_tombstones(database: Database, days: int) -> bool:
    """Forget what was withdrawn so many days ago: mirrors that have not heard of it start again. Raises: Busy."""
    before = instant(database.clock() - timedelta(days=days))
    with database.reading() as reader:
        if not changes.any_purgeable(reader, before):
            return False
    with database.writing() as writer:
        return changes.purge(writer, before)


def tell(database: Database) -> bool:
    """Make deliveries of what happened, for the webhooks it concerns; says whether there was anything. Raises: Busy."""
    with database.reading() as reader:
        ids = deliveries.untold(reader)
    for id in ids:
        with database.writing() as writer:
            deliveries.tell(writer, id)
    return bool(ids)


def purge_events(database: Database) -> bool:
    """Forget what happened some weeks ago, and its deliveries; says whether there was anything. Raises: Busy."""
    before = instant(database.clock() - timedelta(days=events.KEPT_DAYS))
    with database.reading() as reader:
        if not events.any_purgeable(reader, before):
            return False
    with database.writing() as writer:
        return events.purge(writer, before)


def purge_trashed(database: Database, days: int) -> bool:
    """Remove for good some of what was trashed so many days ago; says whether there was anything.

    Raises: Busy; Conflict.
    """
    before = instant(database.clock() - timedelta(days=days))
    with database.reading() as reader:
        if not lifecycle.any_trashed(reader, before):
            return False
    with database.writing() as writer:
        return lifecycle.purge_trashed(writer, before)


def run_due(
    database: Database, stop: threading.Event | None = None, meanwhile: Callable[[], object] | None = None
) -> bool:
    """Run the oldest job that is due, to its end or until ``stop`` is set; says whether there was one.

    Each step is a transaction of its own that also records how far the job is: who is killed in between leaves a
    job that another goes on with when the lease is over. ``meanwhile``: what else is looked after every
    ``JOB_SECONDS``; the job stays in the same hands, and the processes that read for it go on.
    Raises: Busy; Conflict. The job is then given back.
    """
    with database.reading() as reader:
        if not jobs.waiting(reader, instant(database.clock())):
            return False
    with database.writing() as writer:
        lease = jobs.take(writer)
    if lease is None:
        return False
    looked = time.monotonic()
    with import_jobs.reading(database, lease) if lease.kind == import_jobs.JOB else nullcontext(nullcontext) as around:
        while lease is not None and not (stop and stop.is_set()):
            lease = carry_on(database, lease, around)
            if meanwhile is not None and time.monotonic() >= looked + JOB_SECONDS:
                meanwhile()
                looked = time.monotonic()
    if lease is not None:
        with database.writing() as writer:
            jobs.give_back(writer, lease)
    return True


def carry_on(database: Database, lease: Lease, around: Around = nullcontext) -> Lease | None:
    """Do the next step of a job; the job as it is held on to, None where it is done, failed, or another's by now.

    Raises: Busy; Conflict. The job is then given back.
    """
    try:
        with around(), database.writing() as writer:
            held = jobs.hold(writer, lease)
            return held and _STEPS[held.kind](writer, held)
    except (Busy, Conflict):  # a matter of time
        with database.writing() as writer:
            jobs.give_back(writer, lease)
        raise
    except Exception:
        log.exception("a job failed, id=%s", lease.id)
        with database.writing() as writer:
            jobs.fail(writer, lease, "internal-error", "Something failed here that was not foreseen.")
        return None
