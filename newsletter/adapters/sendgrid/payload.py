"""One batch of one edition as the JSON of a mail/send request.

Plain dicts: the vendor's Mail helper reverses the personalizations, so that the places named in an
error would point at the wrong recipients.
"""

from typing import Any, Self

import orjson

from newsletter.core.delivery import Claim, Recipient
from newsletter.core.edition import Letter
from newsletter.core.mailing import Envelope, personal
from newsletter.core.publication import Mailbox
from newsletter.core.transactional import TransactionalMessage

# Custom arguments come back in every event, among SendGrid's own fields: hence the prefix. Ids
# only: SendGrid stores them for long, as "not PII". They stand with each recipient, because
# SendGrid's own description of the API has no object for those of a whole request.
INSTALLATION_ARG = "nl_installation"
DELIVERY_ARG = "nl_delivery"  #: its place in the issue
ATTEMPT_ARG = "nl_attempt"
ISSUE_ARG = "nl_issue"
LETTER_ARG = "nl_letter"  #: a letter to one person

#: Unlike the client's own, so that it takes a body as it is.
CONTENT_TYPE = "application/json; charset=utf-8"

#: No account default may rewrite a letter: with SendGrid's own unsubscribe header and footer two
#: systems would record unsubscribes. `asm` is left out for the same reason.
_UNTRACKED = {
    name: {"enable": False} for name in ("click_tracking", "open_tracking", "subscription_tracking")
}

#: Has a request checked, and answered 200: nobody gets a letter, and no event follows.
SANDBOX_MODE = {"mail_settings": {"sandbox_mode": {"enable": True}}}


class Body(bytes):
    """JSON that the vendor's client does not serialize again; printed, it shows no address.

    For a large batch the client's own `json.dumps` takes more time than everything else together,
    and it formats each body for a debug log.
    """

    __slots__ = ()

    @classmethod
    def of(cls, content: dict[str, Any]) -> Self:
        """Serialize this content; TypeError if JSON cannot hold it."""
        return cls(orjson.dumps(content))

    def encode(self, _encoding: str) -> Self:
        """Return itself: the client encodes what is not its own JSON."""
        return self

    def __str__(self) -> str:
        return f"({len(self)} bytes)"

    __repr__ = __str__


def category(issue_id: int, installation_id: str) -> str:
    """Return the category of an issue's requests in SendGrid's logs and statistics.

    One for each issue: categories are not meant for single sends (OAS). They can be searched for,
    unlike custom arguments. No reader sees them. Issues are numbered alike in every installation
    on an account.
    """
    return f"nl-issue-{issue_id}-{installation_id}"


def mail_send(envelope: Envelope, letter: Letter, claim: Claim) -> dict[str, Any]:
    """Return the request body: shared content, and one personalization per recipient, in order."""
    ids = {
        INSTALLATION_ARG: claim.installation_id,
        ATTEMPT_ARG: claim.attempt_id,
        ISSUE_ARG: str(claim.issue_id),
    }
    return {
        **_shared(envelope, letter),
        "personalizations": [_personalization(envelope, one, ids) for one in claim.recipients],
        "categories": [category(claim.issue_id, claim.installation_id)],
        "tracking_settings": _tracking(envelope),
    }


def _tracking(envelope: Envelope) -> dict[str, dict[str, bool]]:
    return _UNTRACKED | {
        "click_tracking": {"enable": envelope.clicks, "enable_text": False},
        "open_tracking": {"enable": envelope.opens},
    }


def single_send(message: TransactionalMessage) -> dict[str, Any]:
    """Return the request body of a transactional letter, in which nothing is tracked.

    It names no delivery and no attempt, so its events change none. In place of an issue's number it
    has its own, so that no two of these letters count as one sent twice.
    """
    return _single(message, {LETTER_ARG: str(message.id), ISSUE_ARG: f"letter-{message.id}"})


def staff_send(message: TransactionalMessage) -> dict[str, Any]:
    """Return the request body of a test letter to staff: its events act on nothing.

    It names no transactional email either, since its number is of another table.
    """
    return _single(message, staff_arguments(message.id))


def staff_arguments(number: int) -> dict[str, str]:
    """Return what the events of a test letter bear, besides the installation."""
    return {ISSUE_ARG: f"test-{number}"}


def _single(message: TransactionalMessage, own: dict[str, str]) -> dict[str, Any]:
    ids = {INSTALLATION_ARG: message.installation_id, **own}
    return {
        **_shared(message, message.letter),
        "personalizations": [{"to": [{"email": message.email}], "custom_args": ids}],
        "tracking_settings": _UNTRACKED,
    }


def _shared(mail: Envelope | TransactionalMessage, letter: Letter) -> dict[str, Any]:
    return {
        "from": _mailbox(mail.sender),
        "reply_to": _mailbox(mail.reply_to),
        "subject": letter.subject,
        "content": [  # the text part first: mail/send requires this order
            {"type": "text/plain", "value": letter.text},
            {"type": "text/html", "value": letter.html},
        ],
        "headers": mail.headers,
    }


def _personalization(
    envelope: Envelope, recipient: Recipient, ids: dict[str, str]
) -> dict[str, Any]:
    own = personal(envelope, recipient)
    return {
        "to": [{"email": recipient.email}],
        "headers": own.headers,
        "substitutions": own.values,
        "custom_args": {**ids, DELIVERY_ARG: str(recipient.place)},
    }


def _mailbox(mailbox: Mailbox) -> dict[str, str]:
    return {"email": mailbox.email, "name": mailbox.name}
