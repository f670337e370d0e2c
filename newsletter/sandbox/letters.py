"""Accepted letters as the reader gets them, each with its request and its events so far."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from newsletter.sandbox.events import AcceptedRequest, Event, Shares, addresses, events_for, merged
from newsletter.sandbox.routing import ID_DIGITS, CallError, RequestContext
from newsletter.sandbox.store import StoredRecipient


@dataclass(frozen=True, kw_only=True)
class DeliveredLetter:
    """One recipient's letter, read from the stored request when it is needed."""

    recipient: StoredRecipient
    request: AcceptedRequest
    shares: Shares | None  #: None: none of its events has happened yet

    @property
    def personalization(self) -> dict[str, Any]:
        return self.request.message["personalizations"][self.recipient.place]

    @property
    def subject(self) -> str:
        return subject_of(self.request.message, self.personalization)

    @property
    def custom_args(self) -> dict[str, str]:
        return merged(self.request.message, self.personalization, "custom_args")

    @property
    def to(self) -> str:
        key = self.recipient.email
        given = (email for email in addresses(self.personalization) if email.lower() == key)
        return next(given, key)

    @property
    def from_(self) -> dict[str, str]:
        return self.personalization.get("from") or self.request.message["from"]

    @cached_property
    def letter(self) -> dict[str, Any]:
        """Return the whole letter, filled in.

        Substitutions reach the subject, the content and reply_to, and nothing else (OAS).
        """
        message, one = self.request.message, self.personalization
        tags = one.get("substitutions", {})
        content = {block["type"]: block["value"] for block in message.get("content", ())}
        replies = message.get("reply_to_list") or [message.get("reply_to", {})]
        return {
            "to": self.to,
            "sender": _mailbox(self.from_),
            "reply_to": _substitute(", ".join(filter(None, map(_mailbox, replies))), tags),
            "subject": self.subject,
            "text": _substitute(content.get("text/plain", ""), tags),
            "html": _substitute(content.get("text/html", ""), tags),
            "headers": merged(message, one, "headers"),
            "custom_args": self.custom_args,
        }

    @cached_property
    def events(self) -> list[Event]:
        if self.shares is None:
            return []
        return events_for(self.request, self.recipient.place, self.shares, self.recipient.email)


def open_letter(context: RequestContext, number: str) -> DeliveredLetter:
    """Open the letter of this number; CallError if there is none."""
    fits = number.isdecimal() and len(number) <= ID_DIGITS
    entry = context.store.recipient(int(number)) if fits else None
    for opened in open_letters(context, [entry] if entry else []):
        return opened
    raise CallError(404)


def open_letters(
    context: RequestContext, entries: Iterable[StoredRecipient]
) -> Iterator[DeliveredLetter]:
    """Open letters, reading each request once; those deleted meanwhile are left out."""
    requests: dict[int, AcceptedRequest | None] = {}
    for entry in entries:
        if entry.request_id not in requests:
            requests[entry.request_id] = context.store.request(entry.request_id)
        if request := requests[entry.request_id]:
            shares = context.config.shares if context.config.events and request.done else None
            yield DeliveredLetter(recipient=entry, request=request, shares=shares)


def subject_of(message: dict[str, Any], personalization: dict[str, Any]) -> str:
    """Return the subject with substitutions made; empty when a template would bring it."""
    raw = personalization.get("subject") or message.get("subject", "")
    return _substitute(raw, personalization.get("substitutions", {}))


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
