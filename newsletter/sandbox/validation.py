"""Validation of a mail/send request, as documented; in doubt the stricter reading."""

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from newsletter.sandbox.personalizations import (
    SharedFields,
    check_custom_args,
    check_personalizations,
)
from newsletter.sandbox.rules import (
    MAX_CATEGORIES,
    MAX_CATEGORY_LENGTH,
    MAX_DISPLAYED_GROUPS,
    MAX_REPLY_TO,
    POOL_NAME_LENGTHS,
    Problem,
    Problems,
    check_headers,
    check_keys,
    check_mailbox,
    check_send_at,
    is_array,
    is_integer,
    is_object,
    words,
)

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
_BAD_REQUEST = Problem(None, "Bad Request")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_CONTENT_TYPE = re.compile(r"[^;,\r\n]+")


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A checked request; acceptable when there are no problems."""

    message: dict[str, Any]
    problems: Problems
    recipients: list[tuple[int, str]]  #: personalization counted from 0, folded address

    @property
    def sandbox_mode(self) -> bool:
        """Return whether the request is to be validated only."""
        settings = self.message.get("mail_settings", {})
        return settings.get("sandbox_mode", {}).get("enable") is True


def check(body: bytes, now: float, bad_address: re.Pattern[str] | None = None) -> Checked:
    """Check the raw body of a request that arrives `now` (seconds since the epoch)."""
    message = _parse(body)
    if not is_object(message):
        return Checked(message={}, problems=Problems([_BAD_REQUEST]), recipients=[])
    problems = Problems()
    shared = _shared_fields(message, now, bad_address, problems)
    _check_top(message, problems)
    if "custom_args" in message:
        check_custom_args(message["custom_args"], "custom_args", shared)
    if "send_at" in message:
        check_send_at(message["send_at"], now, "send_at", problems)
    check_personalizations(message.get("personalizations"), shared)
    return Checked(message=message, problems=problems, recipients=shared.recipients)


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


def _shared_fields(
    message: dict[str, Any],
    now: float,
    bad_address: re.Pattern[str] | None,
    problems: Problems,
) -> SharedFields:
    sender = check_mailbox(message.get("from"), "from", problems)
    custom_args = message.get("custom_args")
    return SharedFields(
        now=now,
        from_domain=(sender or "").partition("@")[2],
        needs_subject="subject" not in message and not message.get("template_id"),
        custom_args=custom_args if is_object(custom_args) else {},
        bad_address=bad_address,
        problems=problems,
    )


def _check_top(message: dict[str, Any], problems: Problems) -> None:
    if not message.keys() <= _ALLOWED:
        check_keys(message, _ALLOWED, "", problems)
    if "subject" in message and (not isinstance(message["subject"], str) or not message["subject"]):
        text = "The subject must be a string with at least one character."
        problems.add("subject", text, "message.subject")
    _check_content(message, problems)
    _check_reply_to(message, problems)
    if "headers" in message:
        check_headers(message["headers"], "headers", problems)
    if "categories" in message:
        _check_categories(message["categories"], problems)
    if "asm" in message:
        _check_asm(message["asm"], problems)
    _check_names(message, problems)
    _check_attachments(message.get("attachments", []), problems)
    _check_settings(message.get("tracking_settings", {}), "tracking_settings", _TRACKING, problems)
    _check_settings(message.get("mail_settings", {}), "mail_settings", _MAIL_SETTINGS, problems)


def _check_content(message: dict[str, Any], problems: Problems) -> None:
    content = message.get("content")
    anchor = "message.content"
    if content is None and message.get("template_id"):
        return
    if not is_array(content) or not content:
        text = "Unless a valid template_id is provided, the content parameter is required. There must be at least one defined content block. We typically suggest both text/plain and text/html blocks are included, but only one block is required."  # noqa: E501  # SendGrid's own sentence
        problems.add("content", text, anchor)
        return
    for place, block in enumerate(content):
        _check_block(block, f"content.{place}", problems)
    ranks = [_rank(block) for block in content]
    if ranks != sorted(ranks):
        text = "If present, text/plain must be first, followed by text/html, then any other type."
        problems.add("content", text, anchor)


def _check_block(block: Any, at: str, problems: Problems) -> None:
    anchor = "message.content"
    if not is_object(block):
        problems.add(at, "A content block must be an object.", anchor)
        return
    check_keys(block, frozenset({"type", "value"}), at, problems)
    kind, value = block.get("type"), block.get("value")
    if not isinstance(kind, str) or not _CONTENT_TYPE.fullmatch(kind):
        text = "The content type must be a string without ';', ',' or line breaks."
        problems.add(f"{at}.type", text, anchor + ".type")
    if not isinstance(value, str) or not value:
        text = "The content value must be a string at least one character in length."
        problems.add(f"{at}.value", text, anchor + ".value")


def _rank(block: Any) -> int:
    kind = block.get("type") if is_object(block) else None
    return {"text/plain": 0, "text/html": 1}.get(kind, 2) if isinstance(kind, str) else 2


def _check_reply_to(message: dict[str, Any], problems: Problems) -> None:
    if "reply_to" in message:
        check_mailbox(message["reply_to"], "reply_to", problems)
    if "reply_to_list" not in message:
        return
    if "reply_to" in message:
        text = "Use either reply_to or reply_to_list, not both."
        problems.add("reply_to_list", text, "message.reply_to")
    mailboxes = message["reply_to_list"]
    if not is_array(mailboxes) or len(mailboxes) > MAX_REPLY_TO:
        text = f"It must be an array of at most {MAX_REPLY_TO} addresses."
        problems.add("reply_to_list", text, "message.reply_to")
        return
    keys = [check_mailbox(m, f"reply_to_list.{n}", problems) for n, m in enumerate(mailboxes)]
    if len(set(keys)) != len(keys):
        problems.add("reply_to_list", "Its addresses must be unique.", "message.reply_to")


def _check_categories(value: Any, problems: Problems) -> None:
    anchor = "message.categories"
    if not is_array(value) or len(value) > MAX_CATEGORIES:
        text = f"It must be an array of at most {MAX_CATEGORIES} categories."
        problems.add("categories", text, anchor)
        return
    if len({str(one) for one in value}) != len(value):
        problems.add("categories", "Categories must be unique.", anchor)
    for place, one in enumerate(value):
        if not isinstance(one, str) or not one.isascii() or len(one) > MAX_CATEGORY_LENGTH:
            text = (
                f"A category must be an ASCII string of at most {MAX_CATEGORY_LENGTH} characters."
            )
            problems.add(f"categories.{place}", text, anchor)


def _check_asm(value: Any, problems: Problems) -> None:
    anchor = "message.asm"
    if not is_object(value):
        problems.add("asm", "It must be an object.", anchor)
        return
    if not is_integer(value.get("group_id")):
        problems.add("asm.group_id", "The group_id must be an integer.", anchor + ".group_id")
    groups = value.get("groups_to_display", [])
    numbers = is_array(groups) and all(is_integer(group) for group in groups)
    if not numbers or len(groups) > MAX_DISPLAYED_GROUPS:
        text = f"It must be an array of at most {MAX_DISPLAYED_GROUPS} integers."
        problems.add("asm.groups_to_display", text, anchor + ".groups_to_display")


def _check_names(message: dict[str, Any], problems: Problems) -> None:
    for name in ("template_id", "batch_id"):
        if not isinstance(message.get(name, ""), str):
            problems.add(name, f"The {name} must be a string.", f"message.{name}")
    pool = message.get("ip_pool_name", "default")
    if not isinstance(pool, str) or len(pool) not in POOL_NAME_LENGTHS:
        text = "The ip_pool_name must be a string of 2 to 64 characters."
        problems.add("ip_pool_name", text, "message.ip_pool_name")


def _check_attachments(value: Any, problems: Problems) -> None:
    for place, one in enumerate(value if is_array(value) else [None]):
        for name in ("content", "filename"):
            if not is_object(one) or not isinstance(one.get(name), str):
                text = f"An attachment must have a {name}, a string."
                problems.add(f"attachments.{place}.{name}", text, "message.attachments")


def _check_settings(value: Any, field: str, allowed: frozenset[str], problems: Problems) -> None:
    if not is_object(value):
        problems.add(field, "It must be an object.", f"message.{field}")
        return
    check_keys(value, allowed, field, problems)
    for name, setting in value.items():
        if not is_object(setting) or not isinstance(setting.get("enable"), bool):
            text = "The enable parameter must be true or false."
            problems.add(f"{field}.{name}.enable", text, f"message.{field}")
