"""One's own account: who one is, one's ways to sign in, and one's sessions."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from newsletter.errors import NotFound
from newsletter.services.staff_accounts import NAME_LENGTH
from newsletter.web.console.access import SignedInVisit, Visit
from newsletter.web.console.sign_in import end_cookie

router = APIRouter()

#: What was done, as an address says it; each has a sentence.
_SAID = frozenset(
    {
        "passkey_added",
        "passkey_removed",
        "password_set",
        "app_removed",
        "name_changed",
        "provider_unlinked",
        "session_ended",
    }
)


@router.get("/account")
def account(
    request: Request, visit: SignedInVisit, new: bool = False, said: str = ""
) -> HTMLResponse:
    """Show the page; `new` comes from an invitation."""
    return show_account(request, visit, new=new, said=said if said in _SAID else "")


def show_account(
    request: Request, visit: Visit, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """Return the page, perhaps with a fault beside one of its fields."""
    shown: dict[str, Any] = {"new": False, "said": "", "fault_of": "", "fault": ""} | values
    services = visit.services
    return services.pages.show(
        request,
        "account",
        status=status,
        visit=visit,
        ways=services.credentials.of(visit.signed),
        sessions=services.sessions.listed(visit.member.id),
        fresh=visit.signed.is_fresh(visit.now),
        home=services.home_of(visit.member),
        zone=zone_of(visit),
        provider=services.provider_name,
        **shown,
    )


def zone_of(visit: Visit) -> str:
    """Return the time zone of the person's first newsletter, where they have one."""
    return visit.newsletters[0].timetable.zone if visit.newsletters else "UTC"


@router.post("/account/name")
def rename(visit: SignedInVisit, name: Annotated[str, Form(max_length=NAME_LENGTH)]) -> Response:
    """Change one's own name, which colleagues see beside what one did."""
    visit.services.staff_accounts.rename(visit.signed, name)
    return RedirectResponse("/account?said=name_changed", status_code=303)


@router.post("/account/sessions/{session_id}/end")
def end_session(visit: SignedInVisit, session_id: int) -> Response:
    """End one of one's own sessions; the one of this request is signed out."""
    if not visit.services.sessions.end_one(visit.member.id, session_id):
        raise NotFound("there is no such session")
    if session_id == visit.signed.id:
        return end_cookie(visit.services)
    return RedirectResponse("/account?said=session_ended#sessions", status_code=303)


@router.post("/account/sign-out-everywhere")
def sign_out_everywhere(visit: SignedInVisit) -> Response:
    """End all of one's own sessions."""
    visit.services.staff_accounts.sign_out(visit.member.id, by=visit.signed)
    return end_cookie(visit.services)
