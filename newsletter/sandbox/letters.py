"""Letters as the reader gets them: one personalization of an accepted request, filled in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class ReceivedLetter:
    """A letter as it arrives in one mailbox."""

    to: str
    sender: str
    reply_to: str
    subject: str
    text: str
    html: str
    headers: dict[str, str]
    custom_args: dict[str, str]


def addresses(personalization: dict[str, Any]) -> Iterator[str]:
    """Yield the addresses as they were given: to, then cc, then bcc."""
    for role in ("to", "cc", "bcc"):
        for mailbox in personalization.get(role, ()):
            yield mailbox["email"]


def merged(message: dict[str, Any], personalization: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the message's object `name`, overlaid with the personalization's."""
    return {**message.get(name, {}), **personalization.get(name, {})}


def subject_of(message: dict[str, Any], personalization: dict[str, Any]) -> str:
    """Return the subject with substitutions made; empty when a template would bring it."""
    raw = personalization.get("subject") or message.get("subject", "")
    return _substitute(raw, personalization.get("substitutions", {}))


def letter_for(message: dict[str, Any], place: int, key: str) -> ReceivedLetter:
    """Fill in personalization `place` for the recipient whose folded address is `key`.

    Substitutions reach the subject, the content and reply_to, and nothing else (OAS).
    """
    one = message["personalizations"][place]
    tags = one.get("substitutions", {})
    content = {block["type"]: block["value"] for block in message.get("content", ())}
    replies = message.get("reply_to_list") or [message.get("reply_to", {})]
    return ReceivedLetter(
        to=next((given for given in addresses(one) if given.lower() == key), key),
        sender=_mailbox(one.get("from") or message["from"]),
        reply_to=_substitute(", ".join(filter(None, map(_mailbox, replies))), tags),
        subject=subject_of(message, one),
        text=_substitute(content.get("text/plain", ""), tags),
        html=_substitute(content.get("text/html", ""), tags),
        headers=merged(message, one, "headers"),
        custom_args=merged(message, one, "custom_args"),
    )


def _mailbox(mailbox: dict[str, str]) -> str:
    email, name = mailbox.get("email", ""), mailbox.get("name", "")
    return f"{name} <{email}>" if name else email


def _substitute(text: str, tags: dict[str, str]) -> str:
    if not tags:
        return text
    # Longest first, because one tag may begin with another; one pass, because a value that looks
    # like a tag is not substituted ("do not nest", Substitution Tags).
    pattern = "|".join(re.escape(tag) for tag in sorted(tags, key=len, reverse=True) if tag)
    return re.sub(pattern, lambda found: tags[found.group()], text) if pattern else text
