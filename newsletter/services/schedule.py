"""Runs the timetables: does what is due, records what was missed, and queues operator alerts."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from newsletter.core.operator_alert import OperatorAlert, OperatorAlertKind
from newsletter.core.publication import Newsletter
from newsletter.core.stored import IssueStatus
from newsletter.core.timetable import (
    Action,
    Assemble,
    Miss,
    Send,
    due,
    first_date,
    takes_briefs,
    without,
)
from newsletter.errors import AlertNotSent, NewsletterError, NotApproved
from newsletter.ports import Clock, Notify
from newsletter.services.planning import Planning
from newsletter.services.publishing import Publishing
from newsletter.stores.schedule import ScheduleStore

_RETRY_PAUSE = timedelta(minutes=1)  #: after a failure, before it is tried again
_EMPTY_DAY = "there was no accepted brief to print: nothing is sent"
_EMPTY_WEEK = "no issue of the week printed a brief that is still accepted: nothing is sent"


@dataclass(eq=False)
class ScheduleRunner:
    """Assembles and sends each newsletter's issues when they are due."""

    publishing: Publishing
    planning: Planning
    gather: Callable[[Newsletter], object]  #: polls the sources that are due
    schedule: ScheduleStore
    notify: Notify
    clock: Clock
    _retry_at: dict[str, datetime] = field(init=False, default_factory=dict[str, datetime])

    def run_due(self, newsletter: Newsletter) -> None:
        """Do what is due now for a newsletter; harmless to call often, and to repeat.

        What fails does not stop the rest, and is due again a minute later.
        """
        slug, now = newsletter.slug, self.clock.now()
        if now < self._retry_at.get(slug, now) <= now + _RETRY_PAUSE:
            return  # a moment further ahead is from before the clock was set back
        self._retry_at[slug] = now + _RETRY_PAUSE
        cursor = self.schedule.cursor(slug, now)
        first = first_date(newsletter.timetable, cursor, now)
        issues = self.schedule.issues_since(slug, first)
        timetable = without(newsletter.timetable, self.schedule.skipped_since(slug, first))
        actions = due(timetable, cursor, now, issues)
        if any(takes_briefs(action, issues) for action in actions):
            self.gather(newsletter)
        done = [self._done(newsletter, action, now) for action in actions]
        if all(done):
            del self._retry_at[slug]
            self.schedule.advance_cursor(slug, now)

    def send_alerts(self) -> None:
        for number, alert in self.schedule.pending_alerts():
            with suppress(AlertNotSent):  # it stays pending; the others do not wait for it
                self.notify(alert)
                self.schedule.mark_sent(number, self.clock.now())

    def _done(self, newsletter: Newsletter, action: Action, now: datetime) -> bool:
        """Do what is due and queue an alert about it; False if it must be tried again."""

        def alert(kind: OperatorAlertKind, sentence: str) -> OperatorAlert:
            return OperatorAlert(
                kind=kind, newsletter=newsletter.slug, date=action.on, sentence=sentence
            )

        try:
            match action:
                case Assemble(on):
                    stored = self.publishing.assemble(newsletter, on)
                    if too_large := self.publishing.too_large(newsletter, stored):
                        large = alert(OperatorAlertKind.UNAPPROVED, f"not approved: {too_large}")
                        self.schedule.queue_alert(large, now)
                case Send(on):
                    if self.planning.hand_over(newsletter, on).issue.state is IssueStatus.EMPTY:
                        empty = _EMPTY_WEEK if newsletter.week_of else _EMPTY_DAY
                        self.schedule.queue_alert(alert(OperatorAlertKind.EMPTY_DAY, empty), now)
                case Miss(_, reason):
                    missed = alert(OperatorAlertKind.MISSED_DAY, f"missed: {reason}")
                    self.schedule.record_missed(missed, now)
        except NotApproved as error:
            self.schedule.queue_alert(alert(OperatorAlertKind.UNAPPROVED, str(error)), now)
        except NewsletterError as error:
            self.schedule.queue_alert(alert(OperatorAlertKind.FAILED, str(error)), now)
            return False
        return True
