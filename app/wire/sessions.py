"""A request's way to the database: readers and a ``Writer``, declared once each, for the signatures of routes.

What a Reader and a Writer are is in ``app/database.py``. Requests wait here, on the event loop and with a
deadline, before they take a thread: waiting inside threads starved the holders (ADR 0004).
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, nullcontext
from typing import Annotated, TypeVar, TypeVarTuple
from urllib.parse import unquote_to_bytes

import anyio
import anyio.to_thread
from fastapi import Depends, Header, Query, Request
from starlette.types import Scope

from app import database, text
from app.access import audit, secret
from app.errors import Busy, Fault, Malformed

T = TypeVar("T")
R = TypeVar("R", bound=database.Reader)
Arguments = TypeVarTuple("Arguments")

WAIT_SECONDS = 5
"""How long a request waits for its turn before it is told to come back."""
LOOKUP_SLOTS = 2
"""Of the reading connections, those kept for keys and health: slow reads never block them."""
SEARCH_SLOTS = 1
"""Those for searches, which take turns: each computes, and a second thread that does keeps all other reads waiting for
the interpreter. The slowest of a hundred took three times as long beside two."""
EXPORT_SLOTS = 1
"""Those for exports, which last as long as a client likes to read."""


_UNPUBLISHED = ("/v1/manage/", "/v1/preview/")
"""Below these are working copies."""
MINIMUM = "Kiku-Min-Seq"
"""How far a reader has to be, as ``Kiku-Seq`` of a write told."""
_SHARED = "kiku_writer"
"""Where the scope of a request inside another one has that one's Writer."""


class WaitingRoom:
    """Lets at most ``slots`` transactions run at a time; the others wait in the order they came."""

    def __init__(self, slots: int) -> None:
        self._slots = anyio.Semaphore(slots)
        # Threads of its own: opening and committing never queues behind routes in the default forty.
        self._threads = anyio.CapacityLimiter(slots)

    @asynccontextmanager
    async def admit(self, transaction: AbstractContextManager[T]) -> AsyncIterator[T]:
        """``transaction``, opened and ended in a thread, once there is a slot for it.

        It has ended when the block is left; a cancelled request rolls back and gives its slot back.
        Raises: Busy after ``WAIT_SECONDS``; whatever opening and committing raise.
        """
        async with self._slot():
            opened = await self._in_thread(transaction.__enter__)
            try:
                yield opened
            except BaseException as error:
                with anyio.CancelScope(shield=True):
                    await self._in_thread(transaction.__exit__, type(error), error, error.__traceback__)
                raise
            with anyio.CancelScope(shield=True):
                await self._in_thread(transaction.__exit__, None, None, None)

    async def run(self, work: Callable[[], T]) -> T:
        """What ``work`` returns, run in a thread once there is a slot for it.

        Raises: Busy after ``WAIT_SECONDS``; whatever ``work`` raises.
        """
        async with self._slot():
            return await self._in_thread(work)

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        try:
            with anyio.fail_after(WAIT_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            raise Busy("Too many requests are waiting for the database.") from None
        try:
            yield
        finally:
            self._slots.release()

    async def _in_thread(self, work: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
        return await anyio.to_thread.run_sync(work, *arguments, limiter=self._threads)


class Sessions:
    """The waiting rooms of one application, in front of its database."""

    def __init__(self, of: database.Database) -> None:
        self.database = of
        self.readers = WaitingRoom(of.reader_slots - LOOKUP_SLOTS - SEARCH_SLOTS - EXPORT_SLOTS)
        self.exports = WaitingRoom(EXPORT_SLOTS)
        self.searches = WaitingRoom(SEARCH_SLOTS)
        self._lookups = WaitingRoom(LOOKUP_SLOTS)
        self._writers = WaitingRoom(of.writer_slots)
        self._secret: bytes | None = None

    async def look_up(self, work: Callable[[database.Reader], T]) -> T:
        """What ``work`` finds by one or two short statements: a key, the state of the schema."""

        def run() -> T:
            with self.database.reading() as reader:
                return work(reader)

        return await self.aside(run)

    async def address_hash(self, address: str) -> str:
        """What the audit keeps of a client's address."""
        if self._secret is None:
            self._secret = await self.look_up(secret.load)
        return audit.address_hash(self._secret, address)

    async def aside(self, work: Callable[[], T]) -> T:
        """What ``work`` returns, that opens a Reader of its own for a moment: the same slots as ``look_up``."""
        return await self._lookups.run(work)

    def writing(
        self, caller: str | None, request_id: str | None, *, dry_run: bool = False
    ) -> AbstractAsyncContextManager[database.Writer]:
        """A Writer for the length of the block; it is committed when the block ends, but not in a ``dry_run``."""
        return self._writers.admit(self.database.writing(caller, request_id, dry_run=dry_run))


def of(request: Request) -> Sessions:
    """The sessions of the application that answers ``request``."""
    sessions: Sessions = request.app.state.sessions
    return sessions


def sharing(scope: Scope, writer: database.Writer) -> Scope:
    """The scope of a request whose route, whatever it asks for, gets ``writer``, which is somebody else's to end."""
    return {**scope, _SHARED: writer}


_NO_EARLIER = "Answer no earlier state than the one whose number `Kiku-Seq` told; 503 where a replica is behind it."
MinimumSequence = Annotated[str | None, Header(alias=MINIMUM, description=_NO_EARLIER, pattern=r"^[0-9]{1,9}$")]


class Opening:
    """A dependency: a Reader, once there is a place in the waiting room that is chosen for the request."""

    def __init__(self, room: Callable[[Request], WaitingRoom]) -> None:
        self._room = room

    async def __call__(self, request: Request, minimum: MinimumSequence = None) -> AsyncIterator[database.Reader]:
        """A Reader, limited as the request's key is, no further behind than the ``minimum``. Raises: Busy."""
        # An editor reads what was just saved, which a replica may not have yet.
        transaction = of(request).database.reading(replica=not request.scope["path"].startswith(_UNPUBLISHED))
        opened: AbstractAsyncContextManager[database.Reader]
        opened = _shared(request) or self._room(request).admit(transaction)
        async with opened as reader:
            if minimum is not None:
                number = await anyio.to_thread.run_sync(request.app.state.sequence, reader)
                if number < int(minimum):
                    raise Busy("This replica has not come so far yet.")
            yield _seeing(request, reader)

    async def run(self, request: Request, work: Callable[[database.Reader], T]) -> T:
        """What ``work`` returns of a Reader of what is public: opened, used and ended in one trip to a thread.

        Raises: Busy; whatever ``work`` raises.
        """

        def run() -> T:
            with of(request).database.reading(replica=True) as reader:
                return work(reader)

        return await self._room(request).run(run)


def nested(request: Request) -> bool:
    """Whether the request stands in another one."""
    return _SHARED in request.scope


async def look_up(request: Request, work: Callable[[database.Reader], T]) -> T:
    """What ``work`` finds for the caller by one or two short statements, before the Writer is opened."""
    shared = _shared(request)
    if shared is None:
        return await of(request).look_up(lambda reader: work(_seeing(request, reader)))
    async with shared as writer:
        return await anyio.to_thread.run_sync(work, _seeing(request, writer))


async def store(request: Request, work: Callable[[database.Writer], None]) -> None:
    """Do ``work`` in a transaction of its own, which is committed before the route's begins."""
    async with of(request).writing(None, None) as writer:
        await anyio.to_thread.run_sync(work, writer)


def _seeing(request: Request, reader: R) -> R:
    """The reader, limited as the request's key is."""
    reader.view = getattr(request.state, "view", None)
    return reader


def _shared(request: Request) -> AbstractAsyncContextManager[database.Writer] | None:
    writer: database.Writer | None = request.scope.get(_SHARED)
    return None if writer is None else nullcontext(writer)


_DRY_RUN = "Answer as if it were done, and store nothing."
DryRun = Annotated[bool, Query(description=_DRY_RUN)]
"""Whether a write is only tried."""
_REASON = "Why, for the revision that comes of it: up to 500 characters, UTF-8 as it is or percent-encoded."
_REASON_CHARACTERS = 500


async def _writer(
    request: Request,
    *,
    dry_run: DryRun = False,
    reason: Annotated[str | None, Header(alias="Kiku-Reason", description=_REASON)] = None,
) -> AsyncIterator[database.Writer]:
    state = request.state
    caller, request_id = getattr(state, "key_id", None), getattr(state, "request_id", None)
    why = None if reason is None else _reason(reason)
    rooms, client = of(request), request.client
    address = None if client is None else await rooms.address_hash(client.host)
    async with _shared(request) or rooms.writing(caller, request_id, dry_run=dry_run) as writer:
        writer.reason, writer.address_hash = why, address
        yield _seeing(request, writer)
    if not dry_run:
        request.state.told = told(writer)


def told(writer: database.Writer) -> dict[str, str]:
    """The headers that tell the client of a write what readers see of it: how far they must be, what caches drop."""
    headers = {} if writer.sequence is None else {"Kiku-Seq": str(writer.sequence)}
    return headers | ({"Surrogate-Key": " ".join(sorted(writer.touched))} if writer.touched else {})


def _reason(header: str) -> str | None:
    """What the header says; headers come as Latin-1. Raises: Malformed (``parameter-invalid``)."""
    try:
        said = unquote_to_bytes(header.encode("latin-1")).decode().strip()
        detail = text.hostile(said)
    except UnicodeError:
        said, detail = "", "It is not UTF-8."
    if len(said) > _REASON_CHARACTERS:
        detail = f"It has at most {_REASON_CHARACTERS} characters."
    if detail is not None:
        fault = Fault("text-refused", detail, parameter="Kiku-Reason")
        raise Malformed("parameter-invalid", "A header is not as it should be.", (fault,))
    return said or None


def _list_room(request: Request) -> WaitingRoom:
    rooms = of(request)
    return rooms.searches if "q" in request.query_params else rooms.readers


# scope="function": the transaction ends before the answer's first byte, so a failing COMMIT is an honest
# problem. With FastAPI's default the client read 201 and nothing was stored (ADR 0004).
Reader = Annotated[database.Reader, Depends(Opening(lambda request: of(request).readers), scope="function")]
"""One snapshot of the database, for routes that only read."""
Searcher = Annotated[database.Reader, Depends(Opening(lambda request: of(request).searches), scope="function")]
"""The same, for routes that search."""
Exporter = Annotated[database.Reader, Depends(Opening(lambda request: of(request).exports))]
"""The same, for as long as the answer is being sent."""
ListReader = Annotated[database.Reader, Depends(Opening(_list_room), scope="function")]
"""The same, for lists in which words can be looked for: with ``q`` they search."""
Writer = Annotated[database.Writer, Depends(_writer, scope="function")]
"""One transaction. It stands last in a signature: who is refused earlier never takes the write lock."""
