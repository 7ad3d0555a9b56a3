"""The serving process, ``python -m app.server HOST PORT WORKERS``: uvicorn over the application of ``app/main.py``.

``kiku serve`` becomes this process; what its options mean is told and checked in ``app/cli``.
"""

import os
import sys
import tempfile
from contextlib import nullcontext

import uvicorn

# FastAPI imports Pydantic's copy of Pydantic 1, 1.6 MB, only to see that no model is one of its; where that cannot be
# imported it takes it as seen. None says so (The Python Language Reference, 5.3.1).
sys.modules["pydantic.v1"] = None  # type: ignore[assignment]

# How long a thread computes before another may (Python: 5 ms): reads come in between the steps of a search.
sys.setswitchinterval(0.00005)

GRACE_SECONDS = 30
"""How long running requests may take to finish once the server is told to stop."""


def run(host: str, port: int, workers: int) -> None:
    """Serve until told to stop; several ``workers`` are processes below this one and count into one folder."""
    counts = tempfile.TemporaryDirectory(prefix="kiku-metrics-") if workers > 1 else nullcontext()
    with counts as folder:
        if folder is not None:
            os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", folder)
        uvicorn.run(
            "app.main:create_app",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            access_log=False,  # app/wire/trace.py writes the lines
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )  # uvloop and httptools are taken where they are installed


if __name__ == "__main__":  # the workers import this file, too, under another name
    run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
