"""Asks for the reason where a form came without one, or with too long a one: on a page of its own.

The rest of the form waits in it, so that only the reason is to be written.
"""

from collections.abc import Iterator

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import FormData

from newsletter.web.console.dependencies import console_services_of

REASON_LENGTH = 500
REASON_FIELDS = ("because", "note")  #: what forms call it

#: What the button says, by the last part of the path that the form is for.
_BUTTONS = {
    "skip": "today.skip_it",
    "close": "alerts.close",
    "resolve": "alerts.resolve",
    "continue": "leaving.continue",
    "cancel": "leaving.cancel",
    "why-stopped": "leaving.save_why",
    "send-back": "approval.send_back",
    "pause": "webhooks.pause_now",
}


def lacks_reason_only(error: RequestValidationError) -> bool:
    """Return whether nothing is wrong with a form but its reason."""
    places = [one["loc"] for one in error.errors()]
    return all(len(at) > 1 and at[0] == "body" and at[1] in REASON_FIELDS for at in places)


async def ask_for_reason(request: Request) -> Response:
    """Show a form with the reason's field, and what the first one said besides."""
    form, path = await request.form(), request.url.path
    name = next((one for one in REASON_FIELDS if one in form), REASON_FIELDS[0])
    typed = str(form.get(name, ""))
    pages = console_services_of(request).pages
    return pages.show(
        request,
        "reason",
        status=422,
        action=path,
        field_name=name,
        typed=typed,
        most=REASON_LENGTH,
        too_long=len(typed) > REASON_LENGTH,
        hidden=tuple(_besides(form, name)),
        button=pages.words(_BUTTONS.get(path.rpartition("/")[2], "reason.go_on")),
    )


def _besides(form: FormData, name: str) -> Iterator[tuple[str, str]]:
    for field, value in form.multi_items():
        if field != name and isinstance(value, str):
            yield field, value
