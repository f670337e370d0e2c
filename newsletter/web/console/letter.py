"""The letter itself, for the preview's frame: strangers' text, so it may do nothing.

The frame's own `sandbox` is empty, and so is this answer's.
See docs/decisions/previews-are-inert.md.
"""

from contextlib import suppress
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from newsletter.core.color_scheme import ColorScheme
from newsletter.web.console.access import KeepList, See
from newsletter.web.console.issue import issue_path
from newsletter.web.console.personas import NOBODY, persona_of, preview_as
from subscribers.errors import NoSuchSubscriber

router = APIRouter()

_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src {images}; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)


@router.get(issue_path("/letter"))
def letter(
    visit: See,
    on: date,
    whom: str = "",
    scheme: ColorScheme = ColorScheme.LIGHT,
    images: bool = True,
) -> HTMLResponse:
    """Return the letter as it would be sent, with nobody's links."""
    preview = preview_as(visit, on, persona_of(whom))
    here = " http://127.0.0.1:*" if visit.services.practice else ""  # where the demo has its own
    sources = f"data: https:{here}" if images else "'none'"
    return HTMLResponse(
        preview.page(scheme),
        headers={
            "Content-Security-Policy": _POLICY.format(images=sources),
            "Referrer-Policy": "no-referrer",
        },
    )


@router.get(issue_path("/letter.eml"))
def message(visit: See, on: date, whom: str = "") -> Response:
    """Return the message file."""
    preview = preview_as(visit, on, persona_of(whom))
    headers = {"Content-Disposition": f'attachment; filename="{visit.here.slug}-{on}.eml"'}
    return Response(preview.eml, media_type="message/rfc822", headers=headers)


@router.post(issue_path("/as-reader"))
def as_reader(visit: KeepList, on: date, address: Annotated[str, Form()]) -> RedirectResponse:
    """Look at the letter as the reader of an address; the look is recorded."""
    newsletter = visit.here.readers.newsletter
    found = ()
    with suppress(NoSuchSubscriber):
        found = visit.services.subscriptions.by_email(address.strip())
    for one in found:
        if one.newsletter == newsletter:
            ticket = visit.services.reader_looks.begin(visit.signed, one)
            where = f"{visit.issue_url(on)}?whom=reader:{ticket}"
            return RedirectResponse(where, status_code=303)
    return RedirectResponse(f"{visit.issue_url(on)}?whom=reader:{NOBODY}", status_code=303)
