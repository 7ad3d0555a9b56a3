"""The door for operators: ``kiku serve``, ``work``, ``migrate``, ``keys``, ``import``, ``export`` and others.

Results go to standard output, everything else to standard error. What is done is done in the rooms below;
the server that ``kiku serve`` becomes is ``app/server.py``.
"""

from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from app.cli import backups, doctor, keys, mirroring, running, transfer
from app.cli.door import commands, fail
from app.errors import KikuError

__all__ = ["backups", "commands", "doctor", "keys", "main", "mirroring", "running", "transfer"]


def main(arguments: list[str] | None = None) -> None:
    """Run a command; what an operator can put right is told in one line, exit code 2."""
    try:
        commands(arguments, prog_name="kiku")
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        fail("; ".join(f"KIKU_{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}" for fault in faults))
    except KikuError as error:
        fail(error.detail)
    except SQLAlchemyError as error:
        fail(f"The database cannot be used: {str(error).splitlines()[0]}")
