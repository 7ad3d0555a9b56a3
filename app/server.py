"""The serving process, ``python -m app.server HOST PORT WORKERS``: uvicorn over what ``app/preloaded.py`` imports.

``kiku serve`` becomes this process; what its options mean is told and checked in ``app/cli``.
"""

import gc
import multiprocessing
import os
import signal
import sys
import tempfile
from contextlib import nullcontext

import uvicorn
from uvicorn import _subprocess, importer

# How long a thread computes before another may (Python: 5 ms): reads come in between the steps of a search.
sys.setswitchinterval(0.00005)
# After how many new objects Python looks for those that nobody needs (by itself: 700, from 3.13 on 2,000): a search
# makes some thousand, and they end without that.
gc.set_threshold(10_000)

APPLICATION = "app.preloaded:create_app"
"""What is served; imported by its name, when it is known how many workers there are."""
GRACE_SECONDS = 30
"""How long running requests may take to finish once the server is told to stop."""
_ENDING = (signal.SIGTERM, signal.SIGINT)


def run(host: str, port: int, workers: int) -> None:
    """Serve until told to stop; several ``workers`` are processes below this one and count into one folder."""
    counts = tempfile.TemporaryDirectory(prefix="kiku-metrics-") if workers > 1 else nullcontext()
    with counts as folder:
        if folder is not None:
            os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", folder)
            if sys.platform == "linux":  # macOS' own libraries do not bear it
                _fork_workers()
        uvicorn.run(
            APPLICATION,
            factory=True,
            host=host,
            port=port,
            workers=workers,
            access_log=False,  # app/wire/trace.py writes the lines
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )  # uvloop and httptools are taken where they are installed


def _fork_workers() -> None:
    """Have uvicorn fork its workers from this process, once it has imported the application, so that they share it.

    uvicorn has no option for that: it spawns them, and each imports everything for itself (docs/decisions/0020).
    """
    importer.import_from_string(APPLICATION)
    # What uvicorn does with signals here is not what a worker does that has not begun to serve: it would go on.
    os.register_at_fork(after_in_child=lambda: [signal.signal(each, signal.SIG_DFL) for each in _ENDING])
    _subprocess.spawn = multiprocessing.get_context("fork")  # type: ignore[assignment]


if __name__ == "__main__":  # workers that are spawned import this file, too, under another name
    run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
