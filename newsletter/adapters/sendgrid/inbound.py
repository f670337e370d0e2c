"""SendGrid's Inbound Parse: received mail, posted to us as a form.

There are two variants: the mail in parts (`headers`, `from`, `to`, `subject`, `text`), or, with
"POST the raw, full MIME message", whole in `email`. Both have SendGrid's own checks besides:
`envelope`, `SPF`, `dkim`. Nothing that strangers write there may raise.
"""

import json
import re
from collections.abc import Iterator, Mapping
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses

from newsletter.adapters.values import listed, mapping
from newsletter.core.unsubscribe_mail import UnsubscribeMail

_SIGNER = re.compile(r"@([A-Za-z0-9.-]+)\s*:\s*pass\b", re.IGNORECASE)  #: {@example.com : pass}
_FOLD = re.compile(r"\r?\n[ \t]+")
_ADDRESS = r'[^\s"<>()@,;:\\]+@[^\s"<>()@,;:\\]+'
_NAME = r'(?:[^"<>@\\]*|(?:"(?:[^"\\]|\\.)*"|[^"<>()@\\])*)'
_REMARK = r'(?:\([^"<>()@\\]*\))?'
#: Exactly one sender, unambiguously.
_SENDER = re.compile(rf"\s*(?:{_NAME}<({_ADDRESS})>|({_ADDRESS})\s*{_REMARK})\s*")


def read_mail(fields: Mapping[str, str]) -> UnsubscribeMail:
    """Return the mail of a post; what is missing is empty."""
    mail, sent = _mail_of(fields), _object(fields.get("envelope", ""))
    to = [fields.get("to", ""), *_headers(mail, "to")]
    delivered_to = (one for one in listed(sent.get("to")) if isinstance(one, str))
    return UnsubscribeMail(
        sender=_sender(_headers(mail, "from")),
        recipients=(*delivered_to, *_addresses(to)),
        subject=fields.get("subject") or _decoded(next(iter(_headers(mail, "subject")), "")),
        text=fields.get("text") or _text_of(mail),
        proven=frozenset(_proven(fields, sent.get("from"))),
        automatic=_is_automatic(mail, sent),
    )


def _mail_of(fields: Mapping[str, str]) -> Message:
    """Return the whole mail, or its headers alone."""
    whole = fields.get("email") or fields.get("headers", "").strip() + "\n\n"
    return message_from_bytes(whole.encode("utf-8", "replace"), policy=policy.compat32)


def _headers(mail: Message, name: str) -> list[str]:
    """Return headers undecoded: decoded text must not be taken for addresses."""
    return [_FOLD.sub(" ", str(value)) for value in mail.get_all(name, [])]


def _decoded(header: str) -> str:
    try:
        return str(make_header(decode_header(header)))
    except (HeaderParseError, LookupError, ValueError):
        return header


def _sender(headers: list[str]) -> str:
    """Return the sender; empty if there are two, or if it is ambiguous."""
    found = _SENDER.fullmatch(headers[0]) if len(headers) == 1 else None
    return (found[1] or found[2]) if found else ""


def _addresses(headers: list[str]) -> list[str]:
    return [address for _, address in getaddresses(headers) if "@" in address]


def _text_of(mail: Message) -> str:
    for part in mail.walk():
        if part.get_content_type() == "text/plain" and not part.is_multipart():
            content = part.get_payload(decode=True)
            return content.decode("utf-8", "replace") if isinstance(content, bytes) else ""
    return ""


def _proven(fields: Mapping[str, str], envelope_from: object) -> Iterator[str]:
    """Yield the domains for which SPF or DKIM passed."""
    for domain in _SIGNER.findall(fields.get("dkim", "")):
        yield domain.lower()
    if fields.get("SPF", "").strip().lower() == "pass" and isinstance(envelope_from, str):
        yield envelope_from.rpartition("@")[2].lower()


def _is_automatic(mail: Message, sent: Mapping[str, object]) -> bool:
    """Return whether a machine wrote it: RFC 3834's field, older signs, or an empty sender."""
    submitted = [value.strip().lower() for value in _headers(mail, "auto-submitted")]
    signs = _headers(mail, "x-autoreply") or "auto_reply" in _headers(mail, "precedence")
    by_machine = any(not one.startswith("no") for one in submitted)
    return by_machine or bool(signs) or sent.get("from") == ""


def _object(text: str) -> Mapping[str, object]:
    try:
        return mapping(json.loads(text))
    except (ValueError, RecursionError):
        return {}
