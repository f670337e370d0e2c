"""The letter that tells staff whose turn it is with a draft: asked for approval, or sent back."""

import html
from collections.abc import Iterable, Iterator

from newsletter.core.approval_request import ApprovalRequest
from newsletter.core.edition import Letter
from newsletter.core.galley import plain_line
from newsletter.core.publication import Newsletter
from newsletter.core.staff import Permission, StaffMember, may, one_person
from newsletter.core.staff_letter import StaffLetter, StaffLetterKind

_HTML = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body style="margin:0;padding:16px;background:#ffffff;color:#1b1e23;\
font:16px/1.5 system-ui,-apple-system,'Segoe UI',Arial,sans-serif">
{paragraphs}
</body></html>
"""


def kind_of(request: ApprovalRequest) -> StaffLetterKind:
    return StaffLetterKind.ASKED if request.is_asked else StaffLetterKind.SENT_BACK


def recipients_of(
    newsletter: Newsletter,
    request: ApprovalRequest,
    before: ApprovalRequest | None,
    members: Iterable[StaffMember],
) -> tuple[str, ...]:
    """Return the addresses that are to know of a request, but never that of whoever made it.

    Of one that asks: who may approve this newsletter. Of one that sends back: who asked before.
    """
    confirmed = [one for one in members if one.accepted_at]
    own = one_person(request.by, confirmed)
    others = [one for one in confirmed if one.email.casefold() != own]
    if request.is_asked:
        scope = newsletter.readers.newsletter
        return tuple(one.email for one in others if may(one, Permission.APPROVE, scope))
    asker = one_person(before.by, confirmed) if before and before.is_asked else None
    return tuple(one.email for one in others if one.email.casefold() == asker)


def approval_letter(newsletter: Newsletter, letter: StaffLetter, url: str | None) -> Letter:
    """Return what a letter of this kind says; `url` is the issue's page, where it has one."""
    day = f"{letter.date:%A}, {letter.date.day} {letter.date:%B}"
    name, who = plain_line(newsletter.name), plain_line(letter.by)
    if letter.kind is StaffLetterKind.ASKED:
        subject = f"To approve: {name}, {day}"
        said = f"{who} asks for your approval of the {name} issue of {day}."
    else:
        subject = f"Sent back: {name}, {day}"
        said = f"{who} sent the {name} issue of {day} back: it is a draft that you asked about."
    paragraphs = [said, *([f"“{plain_line(letter.note)}”"] if letter.note else [])]
    return Letter(
        subject=subject,
        text="\n\n".join([*paragraphs, *([f"Look at it: {url}"] if url else [])]) + "\n",
        html=_HTML.format(
            title=html.escape(subject), paragraphs="\n".join(_paragraphs(paragraphs, url))
        ),
    )


def _paragraphs(texts: Iterable[str], url: str | None) -> Iterator[str]:
    for text in texts:
        yield f'<p dir="auto">{html.escape(text)}</p>'
    if url:
        yield f'<p><a href="{html.escape(url)}">Look at it in the console</a></p>'
