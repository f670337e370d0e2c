"""Send checks: why a newsletter must not be sent from here, in plain sentences.

See docs/decisions/example-sender-refused.md.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

from newsletter.core.publication import Newsletter

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_EXAMPLES = ("example", "example.com", "example.net", "example.org")  # RFC 2606, section 3


def obstacles(newsletter: Newsletter, *, public_url: str, sendgrid_host: str) -> Iterator[str]:
    """Yield each reason why this newsletter must not be sent from here.

    The shipped example sender and addresses are good enough for the stand-in on this machine, and
    for nothing else.
    """
    if not newsletter.postal_address.strip():
        yield "postal_address is empty: without a postal address nothing is sent."
    if is_loopback(sendgrid_host):
        return
    for key, email in _mailboxes(newsletter).items():
        if _is_example(email.rpartition("@")[2]):
            yield f"{key} is still the example {email}: set your own."
    if "example" in newsletter.postal_address.casefold():
        yield "postal_address is still the example: set your own."
    if not public_url.startswith("https://"):
        yield f"public_url is {public_url}: one-click unsubscribe needs https (RFC 8058)."


def is_loopback(url: str) -> bool:
    """Return whether this URL leads to this machine."""
    return urlsplit(url).hostname in _LOOPBACK


def _mailboxes(newsletter: Newsletter) -> dict[str, str]:
    return {
        "sender.email": newsletter.sender.email,
        "reply_to.email": newsletter.reply_to.email,
        "unsubscribe_email": newsletter.unsubscribe_email,
    }


def _is_example(domain: str) -> bool:
    return any(domain == name or domain.endswith(f".{name}") for name in _EXAMPLES)
