"""`newsletter tokens`: what programs may do through the JSON API."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated

import typer
from rich.markup import escape
from typer import Argument, Option

from newsletter.cli.common import AsJson, actor, answer, console, container, headed, minute
from newsletter.core.api_token import LIFETIME, ApiToken, Scope

app = typer.Typer(no_args_is_help=True, help="Make tokens for the JSON API, and revoke them.")

_NAMES = " | ".join(one.value for one in Scope)


@app.command()
def create(
    name: Annotated[str, Argument(metavar="NAME", help="What it is for, as the log names it.")],
    scope: Annotated[
        list[str], Option("--scope", metavar="SCOPE", help=f"{_NAMES}; may be given several times.")
    ],
    newsletter: Annotated[
        list[str] | None,
        Option(
            "--newsletter",
            metavar="SLUG",
            help="Only this newsletter; may be given several times. Default: all newsletters.",
        ),
    ] = None,
    days: Annotated[
        int, Option("--days", metavar="N", min=1, help="How long it is good.")
    ] = LIFETIME.days,
    as_json: AsJson = False,
) -> None:
    """Make a token and print it, this once."""
    made = container().api_tokens.create(
        name,
        [_scope(one) for one in scope],
        newsletters=newsletter or None,
        lifetime=timedelta(days=min(days, 9999)),
        by=actor(),
    )
    answer(made, as_json=as_json, show=lambda: print(made.text))


@app.command("list")
def list_tokens(as_json: AsJson = False) -> None:
    """List every token, with what it may do and when it was used last."""
    found = container().api_tokens.listed()
    answer(found, as_json=as_json, show=lambda: _print(found))


@app.command()
def revoke(
    token: Annotated[int, Argument(metavar="NUMBER", help="As `tokens list` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Revoke a token: it is refused from now on."""
    revoked = container().api_tokens.revoke(token, by=actor())
    answer(revoked, as_json=as_json, show=lambda: console.print(f"revoked: {escape(revoked.name)}"))


def _scope(name: str) -> Scope:
    if name not in [one.value for one in Scope]:
        raise typer.BadParameter(f"{name!r} is no scope; choose from: {_NAMES}")
    return Scope(name)


def _print(found: Iterable[ApiToken]) -> None:
    now = container().clock.now()
    console.print(
        headed(
            "", "name", "", "scopes", "newsletters", "last used",
            rows=(_line(one, now) for one in found),
        )
    )  # fmt: skip


def _line(token: ApiToken, now: datetime) -> Iterable[str]:
    return (
        str(token.id),
        escape(token.name),
        _status(token, now),
        ", ".join(sorted(token.scopes)),
        "all" if token.newsletters is None else ", ".join(sorted(token.newsletters)),
        minute(token.used_at) if token.used_at else "never",
    )


def _status(token: ApiToken, now: datetime) -> str:
    if token.revoked_at:
        return f"revoked {minute(token.revoked_at)}"
    return f"{'good until' if token.is_valid(now) else 'expired'} {minute(token.expires_at)}"
