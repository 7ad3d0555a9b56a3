"""The application as a serving process imports it; where there are several workers, as they are forked from it.

Memory is shared until somebody writes to it, and a look through all objects for those that nobody needs any more writes
to each: so they are told to stay (Python's ``gc`` module, ``freeze``). No module may open, start or draw at random
anything when it is imported: workers would share that, too.
"""

import gc
import sys

# FastAPI imports Pydantic's copy of Pydantic 1, 1.6 MB, only to see that no model is one of its; where that cannot be
# imported it takes it as seen. None says so (The Python Language Reference, 5.3.1).
sys.modules["pydantic.v1"] = None  # type: ignore[assignment]

from app.main import create_app  # noqa: E402 - after what it must not import

__all__ = ["create_app"]

gc.collect()
gc.freeze()
