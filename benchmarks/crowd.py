"""Clients that search without pause, as a process of its own: what goes on beside what is measured.

What they ask is in ``searches.py``; whoever started them counts by their log how often they were answered.
"""

import os
import sys
import threading
import traceback
from random import Random

from benchmarks import searches
from benchmarks.client import Connection, expected
from benchmarks.processes import ANSWERED

CLIENTS = 4


def main() -> None:
    """Search at a port until told to stop, or until one of the clients gets no answer."""
    port = int(sys.argv[1])
    threads = [threading.Thread(target=_search, args=(port, each)) for each in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _search(port: int, seed: int) -> None:
    try:
        with Connection(port) as connection:
            for sent in searches.everything(Random(seed)):
                expected(connection.ask(sent), 200)
                os.write(sys.stdout.fileno(), ANSWERED)
    except (OSError, RuntimeError):
        traceback.print_exc()
        os._exit(1)  # fewer clients than are told of would measure something else


if __name__ == "__main__":
    main()
