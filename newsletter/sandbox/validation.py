"""Validation of a mail/send request, as documented; in doubt the stricter reading.

There may be a thousand personalizations in a request, so each of their checks begins with a cheap
test that a valid one passes, and looks for the offender only when that test fails. The module is
long because it holds all rules on the structure of a request.
"""

import json
import re
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn

from newsletter.sandbox.rules import (
    INVALID_ADDRESS,
    Check,
    Problem,
    Problems,
    check_custom_args,
    check_fields,
    check_headers,
    check_keys,
    check_mailbox,
    check_send_at,
    check_substitutions,
    is_array,
    is_integer,
    is_object,
    is_string,
    is_text,
    rule,
    words,
)

MAX_PERSONALIZATIONS = 1_000  #: ERR, OAS `maxItems`
MAX_RECIPIENTS = 1_000  #: ERR, MS: to + cc + bcc over all personalizations
MAX_CATEGORIES = 10  #: ERR, OAS
MAX_CATEGORY_LENGTH = 255  #: OAS, characters
MAX_REPLY_TO = 1_000  #: MS, OAS, entries of `reply_to_list`
MAX_DISPLAYED_GROUPS = 25  #: ERR, OAS, `asm.groups_to_display`
POOL_NAME_LENGTHS = range(2, 65)  #: OAS, `ip_pool_name`
_ALLOWED = words(  # OAS
    "personalizations from reply_to reply_to_list subject content attachments template_id headers "
    "categories custom_args send_at batch_id asm ip_pool_name mail_settings "
    "tracking_settings"
)
_TRACKING = words("click_tracking open_tracking subscription_tracking ganalytics")  # OAS
_MAIL_SETTINGS = words(  # OAS
    "bypass_list_management bypass_spam_management bypass_bounce_management "
    "bypass_unsubscribe_management footer sandbox_mode"
)
_RANKS = ["text/plain", "text/html"]  #: content types, in their order
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_CONTENT_TYPE = re.compile(r"[^;,\r\n]+")
_PERSONAL = words(  # OAS
    "from to cc bcc subject headers substitutions dynamic_template_data custom_args send_at"
)
_PERSONALIZATIONS = "message.personalizations"


@dataclass(kw_only=True)
class Checked:
    """A checked request; acceptable when there are no problems."""

    message: dict[str, Any]
    now: float = 0.0  #: seconds since the epoch
    bad_address: re.Pattern[str] | None = None  #: addresses to refuse
    from_domain: str = ""  #: of the message; empty when it has no valid sender
    problems: Problems = field(default_factory=Problems)
    #: (personalization counted from 0, folded address)
    recipients: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    seen: set[str] = field(default_factory=set[str])

    @property
    def needs_subject(self) -> bool:
        """Return whether neither the message nor a template has a subject."""
        return "subject" not in self.message and not self.message.get("template_id")

    @property
    def sandbox_mode(self) -> bool:
        settings = self.message.get("mail_settings", {})
        return settings.get("sandbox_mode", {}).get("enable") is True


def check(body: bytes, now: float, bad_address: re.Pattern[str] | None = None) -> Checked:
    """Check the raw body of a request that arrives `now` (seconds since the epoch)."""
    message = _parse(body)
    if not is_object(message):
        return Checked(message={}, problems=Problems([Problem(None, "Bad Request")]))
    checked = Checked(message=message, now=now, bad_address=bad_address)
    problems = checked.problems
    sender = check_mailbox(message.get("from"), "from", problems)
    checked.from_domain = (sender or "").partition("@")[2]
    check_keys(message, _ALLOWED, "", problems)
    _check_content(message, problems)
    _check_reply_to(message, problems)
    check_fields(message, _CHECKS, "", problems)
    if "send_at" in message:
        check_send_at(message["send_at"], now, "send_at", problems)
    _check_personalizations(checked)
    return checked


def _parse(body: bytes) -> Any:
    try:
        message = json.loads(body.decode(), parse_constant=_refuse_constant)
        if _SURROGATE.search(body):  # an escaped half of a character is not UTF-8 either
            json.dumps(message, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return message


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _check_content(message: dict[str, Any], problems: Problems) -> None:
    content = message.get("content")
    if content is None and message.get("template_id"):
        return
    if not is_array(content) or not content:
        text = "Unless a valid template_id is provided, the content parameter is required. There must be at least one defined content block. We typically suggest both text/plain and text/html blocks are included, but only one block is required."  # noqa: E501  # SendGrid's own sentence
        problems.add("content", text, "message.content")
        return
    for place, block in enumerate(content):
        if is_object(block):
            check_keys(block, frozenset(_BLOCK), f"content.{place}", problems)
            check_fields(dict.fromkeys(_BLOCK) | block, _BLOCK, f"content.{place}.", problems)
        else:
            text = "A content block must be an object."
            problems.add(f"content.{place}", text, "message.content")
    kinds = [block.get("type") if is_object(block) else None for block in content]
    ranks = [_RANKS.index(kind) if kind in _RANKS else len(_RANKS) for kind in kinds]
    if ranks != sorted(ranks):
        text = "If present, text/plain must be first, followed by text/html, then any other type."
        problems.add("content", text, "message.content")


def _check_reply_to(message: dict[str, Any], problems: Problems) -> None:
    if "reply_to_list" not in message:
        return
    wrong = partial(problems.add, "reply_to_list", anchor="message.reply_to")
    if "reply_to" in message:
        wrong("Use either reply_to or reply_to_list, not both.")
    mailboxes = message["reply_to_list"]
    if not is_array(mailboxes) or len(mailboxes) > MAX_REPLY_TO:
        wrong(f"It must be an array of at most {MAX_REPLY_TO} addresses.")
        return
    keys = [check_mailbox(m, f"reply_to_list.{n}", problems) for n, m in enumerate(mailboxes)]
    if len(set(keys)) != len(keys):
        wrong("Its addresses must be unique.")


def _check_categories(value: Any, field: str, problems: Problems) -> None:
    if not is_array(value) or len(value) > MAX_CATEGORIES:
        text = f"It must be an array of at most {MAX_CATEGORIES} categories."
        problems.add(field, text, "message.categories")
        return
    if len({str(one) for one in value}) != len(value):
        problems.add(field, "Categories must be unique.", "message.categories")
    for place, one in enumerate(value):
        _CATEGORY(one, f"{field}.{place}", problems)


def _check_asm(value: Any, field: str, problems: Problems) -> None:
    if is_object(value):
        check_fields({"group_id": None} | value, _ASM, f"{field}.", problems)
    else:
        problems.add(field, "It must be an object.", "message.asm")


def _check_attachments(value: Any, field: str, problems: Problems) -> None:
    for place, one in enumerate(value if is_array(value) else [None]):
        given = dict.fromkeys(_ATTACHMENT) | (one if is_object(one) else {})
        check_fields(given, _ATTACHMENT, f"{field}.{place}.", problems)


def _check_settings(value: Any, field: str, problems: Problems, *, allowed: frozenset[str]) -> None:
    if not is_object(value):
        problems.add(field, "It must be an object.", f"message.{field}")
        return
    check_keys(value, allowed, field, problems)
    for name, setting in value.items():
        if not is_object(setting) or not isinstance(setting.get("enable"), bool):
            text = "The enable parameter must be true or false."
            problems.add(f"{field}.{name}.enable", text, f"message.{field}")


def _check_personalizations(checked: Checked) -> None:
    value, problems = checked.message.get("personalizations"), checked.problems
    wrong = partial(problems.add, "personalizations", anchor=_PERSONALIZATIONS)
    if not is_array(value) or not value:
        wrong("The personalizations field is required and must have at least one.")
        return
    if len(value) > MAX_PERSONALIZATIONS:
        wrong(f"There may be at most {MAX_PERSONALIZATIONS} personalizations.")
        return
    for place, one in enumerate(value):
        if is_object(one):
            _check_one(one, place, checked)
        else:
            problems.add(f"personalizations.{place}", "It must be an object.", _PERSONALIZATIONS)
    if len(checked.recipients) > MAX_RECIPIENTS:
        message = f"A request may have at most {MAX_RECIPIENTS} recipients (to, cc and bcc)."
        wrong(message, anchor=f"{_PERSONALIZATIONS}.recipients")


def _check_one(one: dict[str, Any], place: int, checked: Checked) -> None:
    at, problems = f"personalizations.{place}", checked.problems
    if not one.keys() <= _PERSONAL:
        check_keys(one, _PERSONAL, at, problems)
    _check_addresses(one, place, at, checked)
    if "subject" not in one and checked.needs_subject:
        _PERSONAL_CHECKS["subject"](None, f"{at}.subject", problems)
    check_fields(one, _PERSONAL_CHECKS, f"{at}.", problems)
    if "custom_args" in one:
        value, shared = one["custom_args"], checked.message.get("custom_args")
        merged = {**shared, **value} if value and is_object(value) and is_object(shared) else value
        check_custom_args(merged, f"{at}.custom_args", problems)
    if "from" in one:
        key = check_mailbox(one["from"], f"{at}.from", problems)
        if key and key.partition("@")[2] != checked.from_domain:
            message = "The domain must be that of the message's from address."
            problems.add(f"{at}.from.email", message, "message.from")
    if "send_at" in one:
        check_send_at(one["send_at"], checked.now, f"{at}.send_at", problems)


def _check_addresses(one: dict[str, Any], place: int, at: str, checked: Checked) -> None:
    to = one.get("to")
    if not is_array(to) or not to:
        message = "The to array is required for all personalization objects, and must have at least one email object with a valid email address."  # noqa: E501  # SendGrid's own sentence
        checked.problems.add(f"{at}.to", message, f"{_PERSONALIZATIONS}.to")
    here: set[str] = set()
    for role in ("to", "cc", "bcc"):
        mailboxes = one.get(role, [])
        if is_array(mailboxes):
            for number, mailbox in enumerate(mailboxes):
                if key := _check_recipient(mailbox, f"{at}.{role}", number, here, checked):
                    checked.recipients.append((place, key))
        elif role != "to":  # a missing or misshapen `to` has been named already
            checked.problems.add(f"{at}.{role}", "It must be an array of addresses.", "message")
    checked.seen |= here


def _check_recipient(
    mailbox: Any, role: str, number: int, here: set[str], checked: Checked
) -> str | None:
    """Check one address of a role; add it to those of this personalization, and return it."""
    problems = checked.problems
    key = check_mailbox(mailbox, f"{role}.{number}", problems)
    if key is None:
        return None
    if checked.bad_address and checked.bad_address.fullmatch(key):
        problems.add(f"{role}.{number}.email", INVALID_ADDRESS, "message.email")
    if key in here or key in checked.seen:
        problems.add(role.rpartition(".")[0], _repeated(key, role, within=key in here))
    here.add(key)
    return key


def _repeated(key: str, field_name: str, *, within: bool) -> str:
    found = f"We found the first duplicate instance of [{key}] in the {field_name} field."
    if within:
        start = "Each email address in the personalization block should be unique between to, cc, and bcc."  # noqa: E501  # SendGrid's own sentence
        return f"{start} {found}"
    # ERR can be read as forbidding this too; whether SendGrid does is not known.
    return f"Each email address may appear in the personalizations array only once. {found}"


_BLOCK: dict[str, Check] = {
    "type": rule(
        lambda kind: is_string(kind) and _CONTENT_TYPE.fullmatch(kind),
        "The content type must be a string without ';', ',' or line breaks.",
        "message.content.type",
    ),
    "value": rule(
        is_text,
        "The content value must be a string at least one character in length.",
        "message.content.value",
    ),
}
_ASM: dict[str, Check] = {
    "group_id": rule(is_integer, "The group_id must be an integer.", "message.asm.group_id"),
    "groups_to_display": rule(
        lambda groups: (
            is_array(groups)
            and len(groups) <= MAX_DISPLAYED_GROUPS
            and all(map(is_integer, groups))
        ),
        f"It must be an array of at most {MAX_DISPLAYED_GROUPS} integers.",
        "message.asm.groups_to_display",
    ),
}
_CATEGORY = rule(
    lambda one: is_string(one) and one.isascii() and len(one) <= MAX_CATEGORY_LENGTH,
    f"A category must be an ASCII string of at most {MAX_CATEGORY_LENGTH} characters.",
    "message.categories",
)
_ATTACHMENT: dict[str, Check] = {
    name: rule(is_string, f"An attachment must have a {name}, a string.", "message.attachments")
    for name in ("content", "filename")
}
_CHECKS: dict[str, Check] = {
    "subject": rule(
        is_text, "The subject must be a string with at least one character.", "message.subject"
    ),
    "reply_to": check_mailbox,
    "headers": check_headers,
    "categories": _check_categories,
    "asm": _check_asm,
    "template_id": rule(is_string, "The template_id must be a string.", "message.template_id"),
    "batch_id": rule(is_string, "The batch_id must be a string.", "message.batch_id"),
    "ip_pool_name": rule(
        lambda name: is_string(name) and len(name) in POOL_NAME_LENGTHS,
        "The ip_pool_name must be a string of 2 to 64 characters.",
        "message.ip_pool_name",
    ),
    "attachments": _check_attachments,
    "tracking_settings": partial(_check_settings, allowed=_TRACKING),
    "mail_settings": partial(_check_settings, allowed=_MAIL_SETTINGS),
    "custom_args": check_custom_args,
}
_PERSONAL_CHECKS: dict[str, Check] = {
    "subject": rule(
        is_text,
        "The subject is required. You can get around this requirement if you use a template with a subject defined or if every personalization has a subject defined.",  # noqa: E501  # SendGrid's own sentence
        "message.subject",
    ),
    "substitutions": check_substitutions,
    "headers": check_headers,
    "dynamic_template_data": rule(is_object, "It must be an object.", "message"),
}
