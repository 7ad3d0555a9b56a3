"""``kiku keys``: make, list and revoke API keys.

What a key may do is decided in ``app/access``.
"""

from datetime import timedelta
from typing import Annotated

import typer

from app.access import keys
from app.access.keys import Grant
from app.access.scopes import SCOPES, Scope
from app.cli.door import commands, open_database, say
from app.database import system_clock
from app.text import instant

key_commands = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)
commands.add_typer(key_commands, name="keys")


@key_commands.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="What the key is for, or whose it is.")],
    scope: Annotated[list[str], typer.Option(help=f"What it may do: {', '.join(SCOPES)}. Repeat it for several.")],
    expires_in_days: Annotated[int | None, typer.Option(min=1, max=36_500, help="Never, if left out.")] = None,
) -> None:
    """Make an API key and print it, alone, on standard output. It is never shown again."""
    expires_at = None if expires_in_days is None else instant(system_clock() + timedelta(days=expires_in_days))
    with open_database() as database, database.writing() as writer:
        key_id, presented = keys.create(writer, Grant(name, _scopes(scope), expires_at))
    say(f"Key {key_id} is made. This is the only time it is shown:")
    typer.echo(presented)


@key_commands.command("list")
def list_keys() -> None:
    """List the keys, the oldest first: id, state, scopes, expiry, name."""
    now = system_clock()
    with open_database() as database, database.reading() as reader:
        for key in keys.list(reader):
            state = "revoked" if key.revoked_at else "active" if key.active(now) else "expired"
            grant = key.grant
            typer.echo("\t".join([key.id, state, ",".join(grant.scopes), grant.expires_at or "never", grant.name]))


@key_commands.command("revoke")
def revoke_key(id: Annotated[str, typer.Argument(help="The id of the key, as `kiku keys list` shows it.")]) -> None:
    """Revoke a key: from now on it opens nothing."""
    with open_database() as database, database.writing() as writer:
        keys.revoke(writer, id)
    say(f"Key {id} is revoked.")


def _scopes(given: list[str]) -> tuple[Scope, ...]:
    return tuple(scope for scope in SCOPES if scope in given) if set(given) <= set(SCOPES) else ()
