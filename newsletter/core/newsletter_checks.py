"""Newsletter checks: what is wrong in a newsletter's file, and why it must not be sent from here.

See docs/decisions/example-sender-refused.md.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from newsletter.core.brief import Verification
from newsletter.core.loopback import is_loopback_url
from newsletter.core.publication import Newsletter, Timetable
from newsletter.core.signup import SignUpRules
from newsletter.core.source import source_faults

_EXAMPLES = ("example", "example.com", "example.net", "example.org")  # RFC 2606, section 3
_CATCH_UP_LIMIT = 24  #: hours; by then the next day's issue is due

Fault = tuple[str, str]  #: a key, and what is wrong with it


def newsletter_faults(newsletter: Newsletter) -> Iterator[Fault]:
    """Yield what is wrong, but for addresses."""
    if newsletter.minimum_verification is Verification.UNVERIFIED:
        yield "minimum_verification", "unverified briefs are never printed"
    yield from timetable_faults(newsletter.timetable)
    slugs = newsletter.topic_slugs
    if len(set(slugs)) < len(slugs) or not slugs:
        yield "topics", "each topic needs a slug of its own, and there must be at least one"
    yield from source_faults(newsletter.sources, slugs)
    yield from _signup_faults(newsletter.signup)
    yield from _reader_faults(newsletter)


def _reader_faults(newsletter: Newsletter) -> Iterator[Fault]:
    if newsletter.week_of is not None:
        yield "week_of", "no such key: `[weekly]` makes the digest"
    weekly, sunset = newsletter.weekly, newsletter.sunset
    if weekly and (min(weekly.briefs, weekly.briefs_per_topic) < 1 or weekly.leads < 0):
        yield "weekly", "briefs and briefs_per_topic must be at least 1, leads at least 0"
    if sunset and min(sunset.after_days, sunset.answer_days, sunset.letters) < 1:
        yield "sunset", "after_days, answer_days and letters must be at least 1"
    if sunset and not (newsletter.tracking.opens or newsletter.tracking.clicks):
        yield "sunset", "without tracking of opens or clicks every reader would seem inactive"


def _signup_faults(signup: SignUpRules) -> Iterator[Fault]:
    limits = ("address_mails_a_day", "network_signups_an_hour", "address_changes_a_day")
    for key in ("confirm_hours", "unconfirmed_days", *limits):
        if getattr(signup, key) < 1:
            yield f"signup.{key}", "must be 1 or more"
    if signup.unconfirmed_days * 24 < signup.confirm_hours:
        yield "signup.unconfirmed_days", "a sign-up cannot be deleted before its link has expired"
    for origin in signup.allow_origins:
        parts = urlsplit(origin)
        if origin != f"{parts.scheme}://{parts.netloc}" or parts.scheme not in ("http", "https"):
            yield "signup.allow_origins", f"{origin!r} is not an origin like https://example.com"


def timetable_faults(timetable: Timetable) -> Iterator[Fault]:
    try:
        ZoneInfo(timetable.zone)
    except (KeyError, ValueError, OSError):
        yield "timetable.zone", f"{timetable.zone!r} is not an IANA time zone"
    if timetable.assemble_at.tzinfo or timetable.send_at.tzinfo:
        yield "timetable", "assemble_at and send_at must not have a UTC offset; the zone sets it"
    elif timetable.send_at < timetable.assemble_at:
        yield "timetable.send_at", "an issue cannot be sent before it is assembled"
    if not 1 <= timetable.catch_up_hours <= _CATCH_UP_LIMIT:
        yield "timetable.catch_up_hours", f"must be between 1 and {_CATCH_UP_LIMIT}"


def obstacles(newsletter: Newsletter, *, public_url: str, sendgrid_host: str) -> Iterator[str]:
    """Yield each reason why this newsletter must not be sent from here.

    The shipped example sender and addresses are good enough for the sandbox on this machine, and
    for nothing else.
    """
    if not newsletter.postal_address.strip():
        yield "postal_address is empty: without a postal address nothing is sent."
    if is_loopback_url(sendgrid_host):
        return
    mailboxes = {
        "sender.email": newsletter.sender.email,
        "reply_to.email": newsletter.reply_to.email,
    }
    for key, email in (mailboxes | {"unsubscribe_email": newsletter.unsubscribe_email}).items():
        if _is_example(email.rpartition("@")[2]):
            yield f"{key} is still the example {email}: set your own."
    if "example" in newsletter.postal_address.casefold():
        yield "postal_address is still the example: set your own."
    if not public_url.startswith("https://"):
        yield f"public_url is {public_url}: one-click unsubscribe needs https (RFC 8058)."


def _is_example(domain: str) -> bool:
    return any(domain == name or domain.endswith(f".{name}") for name in _EXAMPLES)
