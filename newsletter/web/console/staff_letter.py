"""Test letters: what one looks at, sent to a colleague's confirmed address."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse

from newsletter.web.console.access import Edit
from newsletter.web.console.acts import FormKey, once
from newsletter.web.console.issue import issue_path
from newsletter.web.console.personas import persona_of, preview_as

router = APIRouter()


@router.post(issue_path("/test"))
def send_test(
    visit: Edit,
    on: date,
    to: Annotated[str, Form()],
    form_key: FormKey,
    whom: Annotated[str, Form()] = "",
) -> RedirectResponse:
    """Send the letter of the persona that was looked at; it is not counted anywhere."""
    persona = persona_of(whom)

    def act() -> str:
        visit.services.test_letters.send(
            visit.here,
            on,
            preview_as(visit, on, persona),
            to=to,
            shown_as="a reader" if persona.kind == "reader" else str(persona),
            actor=visit.actor,
        )
        return f"{visit.issue_url(on)}?whom={persona}#approval"

    return once(visit, form_key, act)
