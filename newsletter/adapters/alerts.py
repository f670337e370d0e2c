"""Alerts in the log, and through Apprise: e-mail, chat, webhooks and a hundred more.

See docs/decisions/alert-channels-are-apprise-urls.md.
"""

import logging
import re
import warnings
from hashlib import sha256
from typing import Any

from newsletter.adapters.redaction import redactor
from newsletter.core.operator_alert import OperatorAlert
from newsletter.errors import ConfigurationError

_log = logging.getLogger(__name__)

_TIMEOUT = 20  #: seconds for one message through one channel
_REASON_LENGTH = 300  #: characters of a failure's reason

#: Between two URLs; a comma within one, such as between recipients, does not count.
_SEPARATOR = re.compile(r"\s+|,+(?=[a-z][a-z0-9+.-]*://)", re.IGNORECASE)


class AppriseChannel:
    """Sends messages through one Apprise URL, which is a secret."""

    def __init__(self, url: str, *, place: int) -> None:
        apprise = _apprise()
        plugin = apprise.Apprise.instantiate(url)
        if plugin is None:  # the URL may hold a password: it is named by its place alone
            raise ConfigurationError(f"NEWSLETTER_ALERTS: entry {place} is not a valid Apprise URL")
        self.name = f"{plugin.service_name} (no. {place})"
        self.mark = f"{plugin.service_name} #{_digest(url)}"
        self._channel, self._kind = apprise.Apprise(plugin), apprise.NotifyType.WARNING
        self._redact = redactor()

    def send(self, title: str, body: str) -> str | None:
        """Send a message without addresses; return why that failed, None if it did not."""
        title, body = self._redact(title), self._redact(body)
        result = self._channel.notify(
            title=title, body=body, notify_type=self._kind, timeout=_TIMEOUT
        )
        if result:
            return None
        reason = " ".join(entry.message for entry in result.logs()) or "no reason given"
        return self._redact(reason)[:_REASON_LENGTH]


def _digest(url: str) -> str:
    """Return what tells URLs apart, and is too short to try out passwords by."""
    return sha256(url.encode()).hexdigest()[:6]


def log_alert(alert: OperatorAlert) -> None:
    """Write an alert into the log: the least that operators get."""
    where = {"newsletter": alert.newsletter, "date": alert.date}
    extra = {"action": f"alert.{alert.kind.name.lower()}", **where}
    words = (alert.newsletter, alert.date, alert.kind, alert.sentence)
    _log.warning("%s of %s, %s: %s", *words, extra=extra)


def open_channels(urls: str) -> tuple[AppriseChannel, ...]:
    """Return the channels of a list of URLs; ConfigurationError names one that is none."""
    return tuple(
        AppriseChannel(url, place=place) for place, url in enumerate(split_urls(urls), start=1)
    )


def split_urls(urls: str) -> list[str]:
    """Return the URLs of a list separated by spaces or commas."""
    return [url for part in _SEPARATOR.split(urls) if (url := part.strip(","))]


def _apprise() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its own imports
        import apprise  # noqa: PLC0415  # slow, and few commands need it

        logger = logging.getLogger("apprise")  # it quotes a URL that it does not understand
        logger.propagate, logger.handlers = False, [logging.NullHandler()]
        vendor: Any = apprise
        vendor.Apprise.instantiate("json://localhost")  # its plugins are imported by this
    return vendor
