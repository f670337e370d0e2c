"""`newsletter staff`: the people of the console."""

from collections.abc import Iterable, Sequence
from typing import Annotated

import typer
from rich.markup import escape
from typer import Argument, Option

from newsletter.cli.common import AsJson, actor, answer, console, container, headed, minute
from newsletter.core.staff import ROLES, Grant, Permission, SignedIn, StaffMember

app = typer.Typer(no_args_is_help=True, help="Invite people to the console, and remove them.")

Email = Annotated[str, Argument(metavar="EMAIL", help="The person's address.")]
_NAMES = " | ".join(role.value for role in ROLES)
Roles = Annotated[
    list[str], Option("--role", metavar="ROLE", help=f"{_NAMES}; may be given several times.")
]
Slugs = Annotated[
    list[str] | None,
    Option(
        "--newsletter",
        metavar="SLUG",
        help="Only in this newsletter; may be given several times. Default: all newsletters.",
    ),
]


@app.command()
def invite(email: Email, role: Roles, newsletter: Slugs = None, as_json: AsJson = False) -> None:
    """Invite a person; prints a link that is good once, within 24 hours."""
    token = container().staff_accounts.invite(email, _grants(role, newsletter), by=actor())
    _answer_link(f"/invitation/{token}", as_json=as_json)


@app.command("list")
def list_staff(as_json: AsJson = False) -> None:
    """List everybody with their roles."""
    found = container().staff_accounts.members()
    answer(found, as_json=as_json, show=lambda: _print_members(found))


@app.command()
def link(email: Email, as_json: AsJson = False) -> None:
    """Print a link that signs a person in once, within 15 minutes, such as a locked-out owner."""
    token = container().staff_accounts.link(email, by=actor())
    _answer_link(f"/sign-in/link/{token}", as_json=as_json)


@app.command()
def remove(email: Email, as_json: AsJson = False) -> None:
    """Remove a person; all their sessions end at once."""
    member = container().staff_accounts.by_email(email)
    container().staff_accounts.remove(member.id, by=actor())
    answer({"removed": member.email}, as_json=as_json, show=lambda: _say("removed:", member.email))


@app.command()
def role(
    email: Email,
    add: Annotated[
        list[str] | None, Option("--add", metavar="ROLE", help=f"A role to add: {_NAMES}.")
    ] = None,
    drop: Annotated[
        list[str] | None, Option("--drop", metavar="ROLE", help="A role to take away.")
    ] = None,
    newsletter: Slugs = None,
    as_json: AsJson = False,
) -> None:
    """Show a person's roles, or change them; a change ends their sessions."""
    accounts = container().staff_accounts
    member = accounts.by_email(email)
    added, dropped = _grants(add or (), newsletter), _grants(drop or (), newsletter)
    for grant in added:
        member = accounts.grant(member.id, grant, by=actor())
    for grant in dropped:
        member = accounts.revoke(member.id, grant, by=actor())
    answer(member, as_json=as_json, show=lambda: _print_members([member]))


@app.command("login-name")
def login_name(
    email: Email,
    login: Annotated[
        str | None, Argument(metavar="[LOGIN]", help="As `id -un` prints it, for nobody else.")
    ] = None,
    none: Annotated[bool, Option("--none", metavar="", help="It is theirs no longer.")] = False,
    as_json: AsJson = False,
) -> None:
    """Declare who a login of the command line is, or show it: with four eyes both are one person.

    A login that nobody declared is never the second person.
    """
    if login and none:
        raise typer.BadParameter("give either LOGIN or --none, not both")
    accounts = container().staff_accounts
    member = accounts.by_email(email)
    if login or none:
        member = accounts.set_login_name(member.id, login, by=actor())
    data = {"email": member.email, "login_name": member.login_name}
    said = member.login_name or "no login was declared"
    answer(data, as_json=as_json, show=lambda: _say(f"{member.email}:", said))


@app.command()
def sessions(
    email: Email,
    end: Annotated[bool, Option("--end", metavar="", help="End them all.")] = False,
    as_json: AsJson = False,
) -> None:
    """List a person's sessions at the console, or end them all."""
    member = container().staff_accounts.by_email(email)
    if end:
        ended = container().staff_accounts.sign_out(member.id, by=actor())
        answer({"ended": ended}, as_json=as_json, show=lambda: _say("ended:", str(ended)))
        return
    found = container().staff_sessions.listed(member.id)
    answer(found, as_json=as_json, show=lambda: _print_sessions(found))


def _grants(roles: Iterable[str], newsletters: Sequence[str] | None) -> list[Grant]:
    slugs = newsletters or [None]
    return [Grant(permission=_role(one), newsletter=slug) for one in roles for slug in slugs]


def _role(name: str) -> Permission:
    if name not in [role.value for role in ROLES]:
        raise typer.BadParameter(f"{name!r} is no role; choose from: {_NAMES}")
    return Permission(name)


def _answer_link(path: str, *, as_json: bool) -> None:
    url = f"{container().settings.console_url}{path}"
    answer({"link": url}, as_json=as_json, show=lambda: print(url))


def _say(what: str, whom: str) -> None:
    console.print(f"{escape(what)} {escape(whom)}")


def _print_members(members: Iterable[StaffMember]) -> None:
    lines = ([escape(one.email), escape(one.name), _status(one), _roles(one)] for one in members)
    console.print(headed("address", "name", "", "roles", rows=lines))


def _status(member: StaffMember) -> str:
    return "" if member.accepted_at else "invited"


def _roles(member: StaffMember) -> str:
    shown = (
        f"{one.permission.value} ({one.newsletter or 'all newsletters'})" for one in member.grants
    )
    return ", ".join(sorted(shown))


def _print_sessions(found: Iterable[SignedIn]) -> None:
    lines = (
        [minute(one.signed_in_at), minute(one.seen_at), one.address, escape(one.device)]
        for one in found
    )
    console.print(headed("signed in", "last used", "from", "device", rows=lines))
