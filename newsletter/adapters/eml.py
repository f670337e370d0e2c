"""One recipient's letter as an .eml file, as SendGrid would build it."""

import hashlib
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from newsletter.core.delivery import Recipient
from newsletter.core.edition import Letter
from newsletter.core.mailing import Envelope, as_received, personal, personalized
from newsletter.core.publication import Mailbox

# The default of 78 columns would encode a long List-Unsubscribe, which no receiver then parses.
_HEADERS = SMTP.clone(max_line_length=998)  # RFC 5322, section 2.1.1
_PARTS = SMTP.clone(max_line_length=76)  # RFC 2045, section 6.7


def to_eml(envelope: Envelope, letter: Letter, recipient: Recipient, at: datetime) -> bytes:
    """Return the whole message as it would be received, had it been sent at this moment."""
    own = personal(envelope, recipient)
    filled = personalized(letter, own)
    message = EmailMessage(policy=_PARTS)
    message["From"] = _address(envelope.sender)
    message["To"] = Address(addr_spec=recipient.email)
    message["Reply-To"] = _address(envelope.reply_to)
    message["Subject"] = filled.subject
    message["Date"] = at
    message["Message-ID"] = _message_id(envelope, filled, at)
    for name, value in (envelope.headers | own.headers).items():
        message[name] = value
    message.set_content(filled.text, cte="quoted-printable")
    html = as_received(filled.html)
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message.as_bytes(policy=_HEADERS)


def _message_id(envelope: Envelope, letter: Letter, at: datetime) -> str:
    """Return an id that is equal for the same letter at the same moment."""
    said = f"{at.isoformat()}\n{letter.subject}\n{letter.html}".encode()
    domain = envelope.sender.email.rpartition("@")[2]
    return f"<{hashlib.sha256(said).hexdigest()[:32]}@{domain}>"


def _address(mailbox: Mailbox) -> Address:
    return Address(display_name=mailbox.name, addr_spec=mailbox.email)
