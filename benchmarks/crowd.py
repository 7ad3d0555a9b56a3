"""Clients that search without pause, as a process of its own: what goes on beside what is measured.

What they ask is in ``searches.py``.
"""

import sys
import threading
from random import Random

from benchmarks import searches
from benchmarks.client import Connection, expected

CLIENTS = 4


def main() -> None:
    """Search at a port until told to stop."""
    port = int(sys.argv[1])
    threads = [threading.Thread(target=_search, args=(port, each)) for each in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _search(port: int, seed: int) -> None:
    with Connection(port) as connection:
        for sent in searches.everything(Random(seed)):
            expected(connection.ask(sent), 200)


if __name__ == "__main__":
    main()
