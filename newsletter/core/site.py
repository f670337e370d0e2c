"""Judges the web pages as they answer from outside: one-click unsubscribe, webhook, TLS."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from newsletter.core.setup_finding import SetupArea, SetupFinding, SetupSubject
from subscribers.model import Purpose
from subscribers.tokens import make_token

_CERTIFICATE_WARN = timedelta(days=14)
_REDIRECTS = range(300, 400)
_CURE_PROXY = "let the proxy pass it on as it is: method, path and body"


def doctor_token(key: bytes) -> str:
    """Return the token of an unsubscribe link that is nobody's, and that this installation knows.

    Its number is no subscription's, and `key` is the installation's own.
    """
    return make_token(Purpose.UNSUBSCRIBE, 0, key)


@dataclass(frozen=True, kw_only=True)
class SiteAnswer:
    """What was answered to one request."""

    status: int
    location: str  #: where a redirect leads
    text: str


def certificate_finding(public_url: str, end: datetime | None, now: datetime) -> SetupFinding:
    """Judge the certificate of the public address."""
    about = SetupSubject(SetupArea.PUBLIC, "TLS")
    if end is None:
        return about.fail(
            f"{public_url} has none: one-click unsubscribe needs https (RFC 8058)",
            "serve it behind a proxy with https, and set public_url",
        )
    left = end - now
    if left < timedelta(0):
        return about.fail("the certificate has ended", "renew it")
    if left < _CERTIFICATE_WARN:
        return about.warn(f"the certificate ends in {left.days} days", "see why it is not renewed")
    return about.ok(f"the certificate holds for {left.days} days")


def link_findings(got: SiteAnswer, posted: SiteAnswer) -> Iterator[SetupFinding]:
    """Judge what an unsubscribe link answers that is the doctor's own."""
    about = SetupSubject(SetupArea.PUBLIC, "unsubscribe")
    for method, answer in (("GET", got), ("POST", posted)):
        if fault := _link_fault(about, method, answer):
            yield fault
            return
    yield about.ok("a GET of an unsubscribe link changes nothing, and a POST arrives as it is")


def _link_fault(about: SetupSubject, method: str, answer: SiteAnswer) -> SetupFinding | None:
    if answer.status in _REDIRECTS:
        return about.fail(
            f"{method} of an unsubscribe link is redirected to {answer.location}: mail programs do "
            "not follow (RFC 8058)",
            "let links begin with the final address: public_url",
        )
    arrived = _arrived(answer)
    if arrived == method:
        return None
    if arrived:
        return about.fail(f"a {method} arrives here as a {arrived}", _CURE_PROXY)
    if answer.status == HTTPStatus.NOT_FOUND:
        return about.fail(
            "the address is answered, but not by this installation: its links are unknown there",
            "is public_url another installation's, or NEWSLETTER_DATABASE_URL?",
        )
    return about.fail(f"{method} of an unsubscribe link is answered {answer.status}", _CURE_PROXY)


def _arrived(answer: SiteAnswer) -> str:
    """Return the method by which the doctor's own link arrived; empty if it did not."""
    try:
        found = json.loads(answer.text)
        return str(found["doctor"]) if answer.status == HTTPStatus.OK else ""
    except (ValueError, TypeError, LookupError):
        return ""


def unsigned_finding(answer: SiteAnswer) -> SetupFinding:
    """Judge what the webhook answers to a post that nobody signed."""
    about = SetupSubject(SetupArea.PUBLIC, "webhook")
    if answer.status == HTTPStatus.FORBIDDEN:
        return about.ok("it refuses a post without a signature")
    if answer.status in _REDIRECTS:
        return about.fail(
            f"it is redirected to {answer.location}, which SendGrid does not follow", _CURE_PROXY
        )
    if answer.status < HTTPStatus.BAD_REQUEST:
        return about.fail("something there accepts events without a signature", _CURE_PROXY)
    return about.fail(f"a post of events is answered {answer.status}", _CURE_PROXY)
