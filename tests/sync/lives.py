"""A process of which workers are forked, each a real one, so that a test can kill many without waiting for imports.

For each line on standard input, the instant at which its life begins, it prints the worker's id, and a line when that
is dead. Called with the address of the database and the host that webhooks may lead to.
"""

import os
import signal
import sys
import time
from datetime import datetime, timedelta

from app import worker
from app.database import Database
from app.sync.sender import Sender
from app.worker import Kept


def live(url: str, host: str, begin: datetime) -> None:
    """Work until killed; time goes on from ``begin``."""
    born = time.monotonic()
    database = Database(url, lambda: begin + timedelta(seconds=time.monotonic() - born))
    with worker.beside(database, Kept(0, 90), Sender([host])):
        signal.pause()


def main() -> None:
    """Give lives as long as somebody asks for them."""
    for line in sys.stdin:
        id = os.fork()
        if id == 0:
            live(sys.argv[1], sys.argv[2], datetime.fromisoformat(line.strip()))
        print(id, flush=True)  # noqa: T201 - to who asked
        os.waitpid(id, 0)
        print("dead", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
