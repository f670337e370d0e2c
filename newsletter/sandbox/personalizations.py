"""Checks on personalizations, a thousand times in every request.

Each check begins with a cheap test that a valid request passes, and looks for the offender only
when that test fails.
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
    """What the checks on one personalization need of the rest of the request."""

    now: float  #: seconds since the epoch
    from_domain: str  #: of the message; empty when it has no valid sender
    needs_subject: bool  #: neither the message nor a template has one
    custom_args: dict[str, Any]  #: of the message
    bad_address: re.Pattern[str] | None  #: addresses to refuse
    problems: Problems
    recipients: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    seen: set[str] = field(default_factory=set[str])


def check_personalizations(value: Any, shared: SharedFields) -> None:
    """Check them all; add to the problems and to the (place, folded address) pairs of `shared`."""
    problems = shared.problems
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
            _check_one(one, place, shared)
        else:
            problems.add(f"personalizations.{place}", "It must be an object.", anchor)
    if len(shared.recipients) > MAX_RECIPIENTS:
        message = f"A request may have at most {MAX_RECIPIENTS} recipients (to, cc and bcc)."
        problems.add("personalizations", message, anchor + ".recipients")


def _check_one(one: dict[str, Any], place: int, shared: SharedFields) -> None:
    at = f"personalizations.{place}"
    problems = shared.problems
    if not one.keys() <= _ALLOWED:
        check_keys(one, _ALLOWED, at, problems)
    _check_addresses(one, place, at, shared)
    if "subject" in one or shared.needs_subject:
        _check_subject(one.get("subject"), at, problems)
    if "substitutions" in one:
        _check_substitutions(one["substitutions"], f"{at}.substitutions", problems)
    if "custom_args" in one:
        _check_custom_args(one["custom_args"], f"{at}.custom_args", shared)
    if "headers" in one:
        check_headers(one["headers"], f"{at}.headers", problems)
    if "from" in one:
        _check_from(one["from"], f"{at}.from", shared)
    if "send_at" in one:
        check_send_at(one["send_at"], shared.now, f"{at}.send_at", problems)
    if not is_object(one.get("dynamic_template_data", {})):
        problems.add(f"{at}.dynamic_template_data", "It must be an object.", "message")


def _check_addresses(one: dict[str, Any], place: int, at: str, shared: SharedFields) -> None:
    to = one.get("to")
    if not is_array(to) or not to:
        message = "The to array is required for all personalization objects, and must have at least one email object with a valid email address."  # noqa: E501  # SendGrid's own sentence
        shared.problems.add(f"{at}.to", message, "message.personalizations.to")
    here: set[str] = set()
    for role in ("to", "cc", "bcc"):
        if role in one:
            _check_role(one[role], role, (place, at, here), shared)
    shared.seen |= here


def _check_role(
    mailboxes: Any, role: str, where: tuple[int, str, set[str]], shared: SharedFields
) -> None:
    place, at, here = where
    problems = shared.problems
    if not is_array(mailboxes):
        if role != "to":  # a missing or misshapen `to` has been named already
            problems.add(f"{at}.{role}", "It must be an array of addresses.", "message")
        return
    for number, mailbox in enumerate(mailboxes):
        at_mailbox = f"{at}.{role}.{number}"
        key = check_mailbox(mailbox, at_mailbox, problems)
        if key is None:
            continue
        if shared.bad_address and shared.bad_address.fullmatch(key):
            problems.add(f"{at_mailbox}.email", INVALID_ADDRESS, "message.email")
        if key in here or key in shared.seen:
            problems.add(at, _repeated(key, f"{at}.{role}", within=key in here))
        here.add(key)
        shared.recipients.append((place, key))


def _repeated(key: str, field_name: str, *, within: bool) -> str:
    found = f"We found the first duplicate instance of [{key}] in the {field_name} field."
    if within:
        start = "Each email address in the personalization block should be unique between to, cc, and bcc."  # noqa: E501  # SendGrid's own sentence
        return f"{start} {found}"
    # ERR can be read as forbidding this too; whether SendGrid does is not known.
    return f"Each email address may appear in the personalizations array only once. {found}"


def _check_subject(subject: Any, at: str, problems: Problems) -> None:
    if not isinstance(subject, str) or not subject:
        message = "The subject is required. You can get around this requirement if you use a template with a subject defined or if every personalization has a subject defined."  # noqa: E501  # SendGrid's own sentence
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


def _check_custom_args(value: Any, at: str, shared: SharedFields) -> None:
    if is_object(value) and shared.custom_args:
        check_custom_args({**shared.custom_args, **value} if value else value, at, shared)
    else:
        check_custom_args(value, at, shared)


def check_custom_args(value: Any, at: str, shared: SharedFields) -> None:
    """Check custom arguments, those of the message already merged in."""
    anchor = "message.custom_args"
    size = string_bytes(value)
    if size is None:
        check_strings(value, at, shared.problems)
    elif not value:
        shared.problems.add(at, "The custom_args can't be empty.", anchor)
    elif size >= CUSTOM_ARGS_BYTES:
        message = f"Merged custom_args must stay below {CUSTOM_ARGS_BYTES} bytes."
        shared.problems.add(at, message, anchor)


def _check_from(value: Any, at: str, shared: SharedFields) -> None:
    key = check_mailbox(value, at, shared.problems)
    if key and key.partition("@")[2] != shared.from_domain:
        message = "The domain must be that of the message's from address."
        shared.problems.add(f"{at}.email", message, "message.from")
