"""One batch of one edition as the JSON of a mail/send request.

Plain dicts: the vendor's Mail helper puts personalizations in reverse order, so that the places
named in an error would point at the wrong recipients.
"""

from typing import Any

from newsletter.core.delivery import Claim, Recipient
from newsletter.core.edition import Letter
from newsletter.core.mailing import Envelope, personal
from newsletter.core.publication import Mailbox
from newsletter.core.transactional import TransactionalMessage

# Custom arguments come back in every event, flattened among SendGrid's own fields: hence the
# prefix. Ids only: SendGrid keeps them for long, as "not PII".
DELIVERY_ARG = "nl_delivery"
ATTEMPT_ARG = "nl_attempt"
ISSUE_ARG = "nl_issue"
LETTER_ARG = "nl_letter"  #: a letter to one person

#: No account default may rewrite a letter: SendGrid's own unsubscribe header and footer would give
#: the reader two owners of one wish. `asm` is left out for the same reason.
_TRACKING = {
    "click_tracking": {"enable": True, "enable_text": False},
    "open_tracking": {"enable": True},
    "subscription_tracking": {"enable": False},
}


_UNTRACKED = {name: {"enable": False} for name in _TRACKING}


def category(issue_id: int) -> str:
    """Return what SendGrid's logs and statistics call the requests of an issue.

    One for each issue, which is one newsletter's of one date: categories are not meant for single
    sends (OAS). They can be searched for, which custom arguments cannot. No reader sees them.
    """
    return f"nl-issue-{issue_id}"


def mail_send(envelope: Envelope, letter: Letter, claim: Claim) -> dict[str, Any]:
    """Return the request body: shared content, and one personalization per recipient, in order."""
    return {
        "personalizations": [_personalization(envelope, one) for one in claim.recipients],
        "from": _mailbox(envelope.sender),
        "reply_to": _mailbox(envelope.reply_to),
        "subject": letter.subject,
        "content": [  # the text part first: mail/send requires this order
            {"type": "text/plain", "value": letter.text},
            {"type": "text/html", "value": letter.html},
        ],
        "headers": envelope.headers,
        "categories": [category(claim.issue_id)],
        "custom_args": {ATTEMPT_ARG: claim.attempt_id, ISSUE_ARG: str(claim.issue_id)},
        "tracking_settings": _TRACKING,
    }


def single_send(note: TransactionalMessage) -> dict[str, Any]:
    """Return the request body of a letter to one person: nothing in it is tracked.

    It bears no delivery and no attempt: its events move nothing. What stands where an issue's
    number would names this letter alone, so that no two of them pass for one sent twice.
    """
    letter = note.letter
    return {
        "personalizations": [{"to": [{"email": note.email}]}],
        "from": _mailbox(note.sender),
        "reply_to": _mailbox(note.reply_to),
        "subject": letter.subject,
        "content": [
            {"type": "text/plain", "value": letter.text},
            {"type": "text/html", "value": letter.html},
        ],
        "headers": note.headers,
        "custom_args": {LETTER_ARG: str(note.id), ISSUE_ARG: f"letter-{note.id}"},
        "tracking_settings": _UNTRACKED,
    }


def _personalization(envelope: Envelope, recipient: Recipient) -> dict[str, Any]:
    own = personal(envelope, recipient)
    return {
        "to": [{"email": recipient.email}],
        "headers": own.headers,
        "substitutions": own.values,
        "custom_args": {DELIVERY_ARG: str(recipient.delivery_id)},
    }


def _mailbox(mailbox: Mailbox) -> dict[str, str]:
    return {"email": mailbox.email, "name": mailbox.name}
