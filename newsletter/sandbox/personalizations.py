"""Checks on personalizations: the hot part, a thousand times in every request.

Each check first asks the cheap question that a sound request answers at once, and looks for the
offender only when the answer was no.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from newsletter.sandbox.rules import (
    CUSTOM_ARGS_BYTES,
    INVALID_ADDRESS,
    MAX_PERSONALIZATIONS,
    MAX_RECIPIENTS,
    MAX_SUBSTITUTION_BYTES,
    MAX_SUBSTITUTIONS,
    Problems,
    check_headers,
    check_keys,
    check_mailbox,
    check_send_at,
    check_strings,
    is_array,
    is_object,
    string_bytes,
    words,
)

_ALLOWED = words(  # OAS
    "from to cc bcc subject headers substitutions dynamic_template_data custom_args send_at"
)


@dataclass(kw_only=True)
class SharedFields:
    """What the checks on one personalization need to know of the rest of the request."""

    now: float  #: seconds since the epoch
    from_domain: str  #: of the message; empty when it has no valid sender
    needs_subject: bool  #: neither the message nor a template brings one
    custom_args: dict[str, Any]  #: of the message
    bad_address: re.Pattern[str] | None  #: addresses the stand-in was told to refuse
    problems: Problems
    recipients: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    seen: set[str] = field(default_factory=set[str])


def check_personalizations(value: Any, envelope: SharedFields) -> None:
    """Check them all; fills the envelope's problems and its (place, folded address) pairs."""
    problems = envelope.problems
    anchor = "message.personalizations"
    if not is_array(value) or not value:
        message = "The personalizations field is required and must have at least one."
        problems.add("personalizations", message, anchor)
        return
    if len(value) > MAX_PERSONALIZATIONS:
        message = f"There may be at most {MAX_PERSONALIZATIONS} personalizations."
        problems.add("personalizations", message, anchor)
        return
    for place, one in enumerate(value):
        if is_object(one):
            _check_one(one, place, envelope)
        else:
            problems.add(f"personalizations.{place}", "It must be an object.", anchor)
    if len(envelope.recipients) > MAX_RECIPIENTS:
        message = f"A request may have at most {MAX_RECIPIENTS} recipients (to, cc and bcc)."
        problems.add("personalizations", message, anchor + ".recipients")


def _check_one(one: dict[str, Any], place: int, envelope: SharedFields) -> None:
    at = f"personalizations.{place}"
    problems = envelope.problems
    if not one.keys() <= _ALLOWED:
        check_keys(one, _ALLOWED, at, problems)
    _check_addresses(one, place, at, envelope)
    if "subject" in one or envelope.needs_subject:
        _check_subject(one.get("subject"), at, problems)
    if "substitutions" in one:
        _check_substitutions(one["substitutions"], f"{at}.substitutions", problems)
    if "custom_args" in one:
        _check_custom_args(one["custom_args"], f"{at}.custom_args", envelope)
    if "headers" in one:
        check_headers(one["headers"], f"{at}.headers", problems)
    if "from" in one:
        _check_from(one["from"], f"{at}.from", envelope)
    if "send_at" in one:
        check_send_at(one["send_at"], envelope.now, f"{at}.send_at", problems)
    if not is_object(one.get("dynamic_template_data", {})):
        problems.add(f"{at}.dynamic_template_data", "It must be an object.", "message")


def _check_addresses(one: dict[str, Any], place: int, at: str, envelope: SharedFields) -> None:
    to = one.get("to")
    if not is_array(to) or not to:
        message = "The to array is required for all personalization objects, and must have at least one email object with a valid email address."  # noqa: E501
        envelope.problems.add(f"{at}.to", message, "message.personalizations.to")
    here: set[str] = set()
    for role in ("to", "cc", "bcc"):
        if role in one:
            _check_role(one[role], role, (place, at, here), envelope)
    envelope.seen |= here


def _check_role(
    mailboxes: Any, role: str, where: tuple[int, str, set[str]], envelope: SharedFields
) -> None:
    place, at, here = where
    problems = envelope.problems
    if not is_array(mailboxes):
        if role != "to":  # a missing or misshapen `to` has been named already
            problems.add(f"{at}.{role}", "It must be an array of addresses.", "message")
        return
    for number, mailbox in enumerate(mailboxes):
        at_mailbox = f"{at}.{role}.{number}"
        key = check_mailbox(mailbox, at_mailbox, problems)
        if key is None:
            continue
        if envelope.bad_address and envelope.bad_address.fullmatch(key):
            problems.add(f"{at_mailbox}.email", INVALID_ADDRESS, "message.email")
        if key in here or key in envelope.seen:
            problems.add(at, _repeated(key, f"{at}.{role}", within=key in here))
        here.add(key)
        envelope.recipients.append((place, key))


def _repeated(key: str, field_name: str, *, within: bool) -> str:
    found = f"We found the first duplicate instance of [{key}] in the {field_name} field."
    if within:
        start = "Each email address in the personalization block should be unique between to, cc, and bcc."  # noqa: E501
        return f"{start} {found}"
    # ERR can be read as forbidding this too; whether SendGrid does is not known.
    return f"Each email address may appear in the personalizations array only once. {found}"


def _check_subject(subject: Any, at: str, problems: Problems) -> None:
    if not isinstance(subject, str) or not subject:
        message = "The subject is required. You can get around this requirement if you use a template with a subject defined or if every personalization has a subject defined."  # noqa: E501
        problems.add(f"{at}.subject", message, "message.subject")


def _check_substitutions(value: Any, at: str, problems: Problems) -> None:
    anchor = "message.personalizations.substitutions"
    size = string_bytes(value)
    if size is None:
        check_strings(value, at, problems)
    elif size > MAX_SUBSTITUTION_BYTES:
        message = f"Substitutions may take at most {MAX_SUBSTITUTION_BYTES} bytes."
        problems.add(at, message, anchor)
    elif len(value) > MAX_SUBSTITUTIONS:
        problems.add(at, f"There may be at most {MAX_SUBSTITUTIONS} substitutions.", anchor)


def _check_custom_args(value: Any, at: str, envelope: SharedFields) -> None:
    if is_object(value) and envelope.custom_args:
        check_custom_args({**envelope.custom_args, **value} if value else value, at, envelope)
    else:
        check_custom_args(value, at, envelope)


def check_custom_args(value: Any, at: str, envelope: SharedFields) -> None:
    """Check custom arguments, those of the message already merged in."""
    anchor = "message.custom_args"
    size = string_bytes(value)
    if size is None:
        check_strings(value, at, envelope.problems)
    elif not value:
        envelope.problems.add(at, "The custom_args can't be empty.", anchor)
    elif size >= CUSTOM_ARGS_BYTES:
        message = f"Merged custom_args must stay below {CUSTOM_ARGS_BYTES} bytes."
        envelope.problems.add(at, message, anchor)


def _check_from(value: Any, at: str, envelope: SharedFields) -> None:
    key = check_mailbox(value, at, envelope.problems)
    if key and key.partition("@")[2] != envelope.from_domain:
        message = "The domain must be that of the message's from address."
        envelope.problems.add(f"{at}.email", message, "message.from")
