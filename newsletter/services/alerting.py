"""Sends operator alerts through channels: each once, and again where a channel failed.

An alert is stored before it is sent, and so is which channel has taken it: a crash in between may
send it twice through that channel, and never not at all.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from newsletter.core.operator_alert import (
    ALL,
    OperatorAlert,
    retry_pause,
    sent_twice_alert,
    source_down_alert,
    source_quiet_alert,
    unknown_batch_alert,
)
from newsletter.core.publication import Newsletter
from newsletter.core.source_record import SourceState
from newsletter.errors import AlertNotSent
from newsletter.ports import AlertChannel, Clock, Notify
from newsletter.services.polling import SourceReport
from newsletter.stores.schedule import ScheduleStore

_log = logging.getLogger(__name__)

_PATIENCE = timedelta(days=1)  #: a channel that fails is tried again until the alert is this old

_GRACE = timedelta(minutes=5)  #: after the quiet period, in which a permitted re-send is made


_SOURCE_ALERTS = {
    SourceState.DOWN: source_down_alert,
    SourceState.QUIET: source_quiet_alert,
}


def trial(channels: Iterable[AlertChannel]) -> dict[str, str | None]:
    """Send a trial message; return by channel why it failed, None where it did not."""
    words = "This is a trial: alerts reach you here."
    return {one.name: one.send("newsletter: a trial", words) for one in channels}


@dataclass
class _PendingAlert:
    """When an alert was first sent, and when the channels that failed are tried again."""

    first: datetime
    due: datetime
    failures: int = 0


@dataclass(eq=False)
class Alerting:
    """Finds what waits for a person, and sends each alert through every channel."""

    newsletters: Mapping[str, Newsletter]
    channels: Sequence[AlertChannel]
    log: Notify
    schedule: ScheduleStore
    #: Issues with batches sent before a moment, and still unknown.
    unknown: Callable[[datetime], Iterable[tuple[str, date]]]
    reports: Callable[[Newsletter], Iterable[SourceReport]]
    #: Issues with doublings: newsletter, date, letters, and batches.
    doubled: Callable[[], Iterable[tuple[str, date, int, int]]]
    quiet_period: timedelta
    clock: Clock
    console_url: str | None = None  #: where operators reach the console; None: nowhere by a link
    _pending: dict[OperatorAlert, _PendingAlert] = field(
        init=False, default_factory=dict[OperatorAlert, _PendingAlert]
    )

    def check(self) -> None:
        """Queue alerts about unknown batches, doublings and unreadable sources; each once."""
        now = self.clock.now()
        for slug, on in self.unknown(now - self.quiet_period - _GRACE):
            self.schedule.queue_alert(unknown_batch_alert(slug, on), now)
        for slug, on, deliveries, batches in self.doubled():
            self.schedule.queue_alert(sent_twice_alert(slug, on, deliveries, batches), now)
        for newsletter in self.newsletters.values():
            for report in self.reports(newsletter):
                health = report.health
                alert_about = _SOURCE_ALERTS.get(health.state)
                if alert_about and health.since:
                    since, source = health.since.astimezone(UTC), report.source.slug
                    self.schedule.queue_alert(alert_about(newsletter.slug, source, since), now)

    def deliver(self, alert: OperatorAlert) -> None:
        """Send an alert; AlertNotSent while a channel failed, which is then tried again."""
        now = self.clock.now()
        if alert not in self._pending:
            self.log(alert)
        pending = self._pending.setdefault(alert, _PendingAlert(first=now, due=now))
        if now < pending.due <= now + retry_pause(max(pending.failures, 1)):
            raise AlertNotSent(f"the channels will be tried again at {pending.due:%H:%M:%S} UTC")
        if failures := self._send(alert):
            self._failed(pending, "; ".join(failures), now)
        del self._pending[alert]

    def _failed(self, pending: _PendingAlert, reasons: str, now: datetime) -> None:
        """Have the failed channels tried again later, unless the alert is too old by now."""
        if now - pending.first >= _PATIENCE:
            _log.error("given up: %s", reasons, extra={"action": "alert.given_up"})
            return
        pending.failures += 1
        pending.due = now + retry_pause(pending.failures)
        _log.warning("not sent yet: %s", reasons, extra={"action": "alert.failed"})
        raise AlertNotSent(reasons)

    def _send(self, alert: OperatorAlert) -> list[str]:
        """Try the channels that did not take it yet; return how the others failed."""
        failures: list[str] = []
        notified, body = self.schedule.channels_notified(alert), self._body(alert)
        for channel in self.channels:
            if channel.mark in notified:
                continue
            if reason := channel.send(alert.title, body):
                failures.append(f"{channel.name}: {reason}")
            else:
                self.schedule.mark_notified(alert, channel.mark)
        return failures

    def _body(self, alert: OperatorAlert) -> str:
        """Return what is sent: with the address of the alert's page, which asks for a sign-in."""
        slug = next(iter(self.newsletters)) if alert.newsletter == ALL else alert.newsletter
        number = self.schedule.alert_number(alert)
        if not self.console_url or number is None or slug not in self.newsletters:
            return alert.body
        return f"{alert.body}\n\n{self.console_url}/{slug}/alerts/{number}"
