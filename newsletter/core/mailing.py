"""What is sent with a letter: envelope, headers, and the small values of each recipient.

See docs/decisions/approval-names-a-hash.md.
"""

import hashlib
import html
import json
import re
from dataclasses import asdict, dataclass
from datetime import date
from email.utils import formataddr

from newsletter.core.delivery import Recipient
from newsletter.core.edition import (
    ADDRESS_HTML,
    ADDRESS_TEXT,
    PREFERENCES_URL,
    UNSUBSCRIBE_URL,
    Edition,
    Letter,
    whole_edition,
)
from newsletter.core.galley import Galley
from newsletter.core.issue import Issue
from newsletter.core.publication import Mailbox, Newsletter
from subscribers.model import Purpose
from subscribers.tokens import make_token


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """What every letter of an issue shares besides its content."""

    sender: Mailbox
    reply_to: Mailbox
    headers: dict[str, str]
    unsubscribe_email: str
    links: "Links"
    opens: bool = True  #: whether they are tracked
    clicks: bool = True  #: whether they are tracked


@dataclass(frozen=True)
class Links:
    """Where the links of a letter lead; each stays below 70 characters for a usual host."""

    base: str  #: no trailing slash

    def unsubscribe(self, recipient: Recipient) -> str:
        """Return the unsubscribe link: GET shows a button, POST unsubscribes (RFC 8058)."""
        return f"{self.base}/u/{_token(Purpose.UNSUBSCRIBE, recipient)}"

    def preferences(self, recipient: Recipient) -> str:
        return f"{self.base}/p/{_token(Purpose.PREFERENCES, recipient)}"

    def subscribe(self, newsletter: str) -> str:
        """Return the sign-up page, for whom a letter is passed on to."""
        return f"{self.base}/{newsletter}/subscribe"

    def view(self, newsletter: str, on: date, edition: Edition) -> str:
        """Return the public view of an edition; it names no recipient."""
        return f"{self.base}/{newsletter}/{on}/{edition.key}"


def _token(purpose: Purpose, recipient: Recipient) -> str:
    return make_token(purpose, recipient.subscription_id, recipient.link_key)


def envelope_of(newsletter: Newsletter, base_url: str) -> Envelope:
    """Return the envelope of a newsletter's letters; their links begin with `base_url`."""
    return Envelope(
        sender=newsletter.sender,
        reply_to=newsletter.reply_to,
        # RFC 2919, section 3: a phrase, quoted where it must be, and the identifier.
        headers={"List-Id": formataddr((newsletter.name, newsletter.list_id))},
        unsubscribe_email=newsletter.unsubscribe_email,
        links=Links(base_url),
        opens=newsletter.tracking.opens,
        clicks=newsletter.tracking.clicks,
    )


def content_hash(envelope: Envelope, issue: Issue, galley: Galley) -> str:
    """Return the SHA-256 of everything that reaches a reader: approval names this hash."""
    whole, parts = whole_edition(issue), (galley.html, galley.text)
    sent = {
        "envelope": asdict(envelope),
        "entries": [
            (e.brief_id, e.brief.title, e.short_line, e.brief.short, e.words, e.topics)
            for e in issue.entries
        ],
        "galley": [[(s.text, sorted(s.pieces or ())) for s in part] for part in parts],
        "issue": [issue.newsletter, str(issue.date), issue.number],
        "whole": [whole.key, whole.subject, whole.preheader, whole.minutes],
        "wording": asdict(issue.wording),
    }
    return hashlib.sha256(json.dumps(sent, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Personal:
    """What is one recipient's own in a letter."""

    headers: dict[str, str]
    values: dict[str, str]  #: what replaces each recipient tag


def personal(envelope: Envelope, recipient: Recipient) -> Personal:
    """Return a recipient's headers and values; a million of these are made during a send.

    The headers are the one-click unsubscribe of RFC 8058, section 3.1, and its mailto form.
    The values are escaped here, for the part each tag stands in: SendGrid escapes nothing.
    """
    unsubscribe_url = envelope.links.unsubscribe(recipient)
    token = unsubscribe_url.rpartition("/")[2]
    mailto = f"mailto:{envelope.unsubscribe_email}?subject={token}"
    return Personal(
        headers={
            "List-Unsubscribe": f"<{unsubscribe_url}>, <{mailto}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
        values={
            UNSUBSCRIBE_URL: unsubscribe_url,
            PREFERENCES_URL: envelope.links.preferences(recipient),
            ADDRESS_HTML: html.escape(recipient.email),
            ADDRESS_TEXT: recipient.email,
        },
    )


_TAG = re.compile(r"<a\b[^>]*>", re.IGNORECASE)
_VENDOR_ATTRIBUTE = re.compile(r"""\sclicktracking=(?:"[^"]*"|'[^']*'|[^\s>]*)""", re.IGNORECASE)


def as_received(html_part: str) -> str:
    """Return the HTML without what SendGrid removes on its way: the switches of its tracking.

    >>> as_received('<a clicktracking="off" href="#">clicktracking=off</a>')
    '<a href="#">clicktracking=off</a>'
    """
    return _TAG.sub(lambda tag: _VENDOR_ATTRIBUTE.sub("", tag[0]), html_part)


def personalized(letter: Letter, own: Personal) -> Letter:
    """Return the letter with a recipient's values in it, as SendGrid substitutes them."""
    html_part, text_part = letter.html, letter.text
    for tag, value in own.values.items():
        html_part, text_part = html_part.replace(tag, value), text_part.replace(tag, value)
    return Letter(subject=letter.subject, html=html_part, text=text_part)
