"""Telling operators through channels: each notice once, and again where a channel failed.

What is to be told is on file before it is told, and so is which channel has heard it: a crash in
between may tell it twice there, and never not at all.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from newsletter.core.alert_text import body, pause_before, source_down, title, unknown_batch
from newsletter.core.operator_alert import OperatorAlert
from newsletter.core.publication import Newsletter
from newsletter.core.source_record import SourceState
from newsletter.errors import NotTold
from newsletter.ports import Clock, Notify
from newsletter.services.polling import SourceReport
from newsletter.stores.schedule import ScheduleStore

_log = logging.getLogger(__name__)

_PATIENCE = timedelta(days=1)  #: a channel that fails is tried until the news is old

_GRACE = timedelta(minutes=5)  #: after the quiet period: what silence permits is done by then


class Channel(Protocol):
    """A way to reach operators, such as a mailbox or a chat room."""

    @property
    def name(self) -> str:
        """Return its name, without a secret; no two channels share one."""
        ...

    def send(self, title: str, body: str) -> str | None:
        """Pass a message on; return why that failed, None if it did not."""
        ...


def trial(channels: Iterable[Channel]) -> dict[str, str | None]:
    """Send a trial message; return by channel why it failed, None where it did not."""
    words = "This is a trial: alerts reach you here."
    return {one.name: one.send("newsletter: a trial", words) for one in channels}


@dataclass
class _Telling:
    """A notice on its way, and when the channels that did not hear it are tried again."""

    first: datetime
    due: datetime
    failures: int = 0

    def is_old(self, now: datetime) -> bool:
        return now - self.first >= _PATIENCE


class Alerting:
    """The desk that tells operators."""

    def __init__(
        self,
        *,
        newsletters: Mapping[str, Newsletter],
        channels: Sequence[Channel],
        log: Notify,
        book: ScheduleStore,
        unknown: Callable[[datetime], Iterable[tuple[str, date]]],
        reports: Callable[[Newsletter], Iterable[SourceReport]],
        quiet: timedelta,
        clock: Clock,
    ) -> None:
        self._newsletters, self._channels, self._log = newsletters, channels, log
        self._book, self._clock = book, clock
        self._unknown = unknown  #: issues with batches asked before a moment, and still unknown
        self._reports, self._quiet = reports, quiet
        self._tellings: dict[OperatorAlert, _Telling] = {}

    def look(self) -> None:
        """Write down what waits for a person and nobody else notices; once, however often asked."""
        now = self._clock.now()
        for slug, on in self._unknown(now - self._quiet - _GRACE):
            self._book.keep(unknown_batch(slug, on), now)
        for newsletter in self._newsletters.values():
            for report in self._reports(newsletter):
                health = report.health
                if health.state is SourceState.DOWN and health.since:
                    since = health.since.astimezone(UTC)
                    self._book.keep(source_down(newsletter.slug, report.source.slug, since), now)

    def tell(self, notice: OperatorAlert) -> None:
        """Tell a notice; NotTold while a channel has yet to take it, which is then asked again."""
        now = self._clock.now()
        if notice not in self._tellings:
            self._log(notice)
        telling = self._tellings.setdefault(notice, _Telling(first=now, due=now))
        if now < telling.due:
            raise NotTold(f"the channels are tried again at {telling.due:%H:%M:%S} UTC")
        failures = self._pass_on(notice)
        if failures:
            self._failed(telling, "; ".join(failures), now)
        del self._tellings[notice]

    def _failed(self, telling: _Telling, reasons: str, now: datetime) -> None:
        """Have the failed channels tried again later, unless the news is old by now."""
        if telling.is_old(now):
            _log.error("given up: %s", reasons, extra={"action": "alert.given_up"})
            return
        telling.failures += 1
        telling.due = now + pause_before(telling.failures)
        _log.warning("not told yet: %s", reasons, extra={"action": "alert.failed"})
        raise NotTold(reasons)

    def _pass_on(self, notice: OperatorAlert) -> list[str]:
        """Try the channels that did not hear it yet; return how the others failed."""
        failures: list[str] = []
        heard = self._book.heard(notice)
        for channel in self._channels:
            if channel.name in heard:
                continue
            if reason := channel.send(title(notice), body(notice)):
                failures.append(f"{channel.name}: {reason}")
            else:
                self._book.hear(notice, channel.name)
        return failures
