"""The staff, at a newsletter's settings: who may do what; owners invite, change and remove."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from newsletter.core.publication import Newsletter
from newsletter.core.sign_in import INVITATION
from newsletter.core.staff import ROLES, Grant, Permission
from newsletter.errors import ConfirmationNeeded, NotAllowed
from newsletter.web.console.access import OwnFresh, See, Visit
from newsletter.web.console.acts import FormKey, once

router = APIRouter()

#: What was done, as an address says it; each has a sentence.
_SAID = frozenset({"roles_changed", "removed", "signed_out"})

Grants = Annotated[tuple[str, ...], Form()]


@router.get("/{slug}/settings")
def settings(request: Request, visit: See, said: str = "") -> HTMLResponse:
    """Show the staff to an owner, and to others what they may do and who may do the rest."""
    return _show(request, visit, said=said if said in _SAID else "")


@router.post("/{slug}/settings/staff")
def invite(
    request: Request,
    visit: OwnFresh,
    email: Annotated[str, Form(max_length=254)],
    grant: Grants = (),
) -> Response:
    """Invite a person, or one who has not accepted yet once more; show the link this once."""
    services = visit.services
    try:
        token = services.staff_accounts.invite(email, _grants(grant), by=visit.signed)
    except NotAllowed as error:
        return _refused(request, visit, error, email=email, chosen=grant)
    return services.pages.show(
        request,
        "staff_invited",
        visit=visit,
        email=email.strip(),
        link=f"{services.url}/invitation/{token}",
        until=visit.now + INVITATION,
    )


@router.post("/{slug}/settings/staff/{member_id}/roles")
def change_roles(
    request: Request,
    visit: OwnFresh,
    member_id: int,
    form_key: FormKey,
    grant: Grants = (),
    held: Grants = (),
) -> Response:
    """Give a person the roles that are ticked, and no others; `held` are those the page showed."""

    def act() -> object:
        accounts, expecting = visit.services.staff_accounts, _grants(held)
        return accounts.set_roles(member_id, _grants(grant), by=visit.signed, expecting=expecting)

    return _done(request, visit, form_key, act, "roles_changed")


@router.post("/{slug}/settings/staff/{member_id}/remove")
def remove(request: Request, visit: OwnFresh, member_id: int, form_key: FormKey) -> Response:
    """Remove a person, with all ways to sign in."""

    def act() -> object:
        return visit.services.staff_accounts.remove(member_id, by=visit.signed)

    return _done(request, visit, form_key, act, "removed")


@router.post("/{slug}/settings/staff/{member_id}/sign-out")
def sign_out(visit: OwnFresh, member_id: int) -> Response:
    """End all sessions of a person."""
    visit.services.staff_accounts.sign_out(member_id, by=visit.signed)
    return RedirectResponse(f"/{visit.here.slug}/settings?said=signed_out", status_code=303)


def _done(
    request: Request, visit: Visit, form_key: str, act: Callable[[], object], said: str
) -> Response:
    """Act once, and lead to the page that says so; or show why it was refused."""

    def acted() -> str:
        act()
        return f"/{visit.here.slug}/settings?said={said}"

    try:
        return once(visit, form_key, acted)
    except NotAllowed as error:
        return _refused(request, visit, error)


def _refused(request: Request, visit: Visit, error: NotAllowed, **values: Any) -> HTMLResponse:
    if isinstance(error, ConfirmationNeeded):
        raise error
    fault = visit.services.pages.words("settings.refused", reason=error)
    return _show(request, visit, status=409, fault=fault, **values)


def _show(request: Request, visit: Visit, *, status: int = 200, **values: Any) -> HTMLResponse:
    shown: dict[str, Any] = {"said": "", "fault": "", "email": "", "chosen": ()} | values
    services, owns = visit.services, visit.may(Permission.OWN)
    return services.pages.show(
        request,
        "settings",
        status=status,
        visit=visit,
        owns=owns,
        fresh=visit.signed.is_fresh(visit.now),
        members=services.staff_accounts.members() if owns else (),
        scopes=_scopes(services.newsletters.values()),
        roles=ROLES,
        who={one: ", ".join(services.who_may(one, visit.here.slug)) for one in Permission},
        **shown,
    )


def _scopes(newsletters: Iterable[Newsletter]) -> dict[str, str]:
    """Return what a role can be granted in: slugs with names; a digest has its newsletter's."""
    return {one.slug: one.name for one in newsletters if one.week_of is None}


def _grants(chosen: Iterable[str]) -> list[Grant]:
    """Read what the ticks of a form say, such as "edit technology" or "edit *"."""
    return [_grant(one) for one in chosen]


def _grant(text: str) -> Grant:
    permission, _, newsletter = text.partition(" ")
    if permission not in {role.value for role in ROLES}:
        raise NotAllowed(f"no role: {text!r}")
    return Grant(
        permission=Permission(permission), newsletter=None if newsletter == "*" else newsletter
    )
