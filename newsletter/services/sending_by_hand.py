"""Sends an approved issue before its hour, after a grace in which it can be called back.

See docs/decisions/sent-by-hand-after-a-grace.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from newsletter.core.operator_alert import OperatorAlert, OperatorAlertKind
from newsletter.core.publication import Newsletter
from newsletter.core.stored import IssueStatus, StoredIssue
from newsletter.core.timetable import hours_of
from newsletter.errors import NewsletterError, NotAllowed
from newsletter.ports import Clock
from newsletter.services.planning import Planning
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.issues import IssueStore
from newsletter.stores.schedule import ScheduleStore


@dataclass(eq=False)
class SendingByHand:
    """Lets an issue leave when its grace is over; nothing of it is planned before."""

    newsletters: Mapping[str, Newsletter]
    planning: Planning
    issues: IssueStore
    schedule: ScheduleStore
    decisions: DecisionLog
    clock: Clock
    grace: timedelta  #: none: at once

    def send(
        self, newsletter: Newsletter, on: date, *, approved_hash: str, actor: str
    ) -> StoredIssue:
        """Let the issue whose approval this is leave after the grace; NotAllowed if it may not.

        What is in its way is said now, and looked at again when it leaves.
        """
        stored = self.planning.publishing.issue(newsletter, on)
        if not self.grace:
            return self.planning.hand_over(newsletter, on, actor=actor).issue
        if stored.state is IssueStatus.APPROVED:
            self.planning.send_checks.refuse_obstacles(newsletter)
            self.planning.publishing.refuse_changes(newsletter, stored)
        at = self.clock.now() + self.grace
        if not self.issues.set_leaving(stored.id, approved_hash, at, actor):
            raise NotAllowed(f"{self.issues.get(stored.id).summary}: only an approved one is sent")
        detail = {"leaves_at": at.isoformat(), "content_hash": approved_hash}
        self.decisions.record(actor, f"issue {stored.id}", "send now", detail)
        return self.issues.get(stored.id)

    def call_back(self, newsletter: Newsletter, on: date, *, actor: str) -> StoredIssue:
        """Let it not leave by hand; NotAllowed once it leaves.

        It waits for its hour, approved; when that has come it is a draft, or it would leave now.
        """
        publishing = self.planning.publishing
        stored = publishing.issue(newsletter, on)
        if not self.issues.call_back(stored.id):
            raise NotAllowed(f"{self.issues.get(stored.id).summary}: nothing to call back")
        self.decisions.record(actor, f"issue {stored.id}", "call back", {})
        if self.clock.now() >= hours_of(newsletter.timetable, on).send:
            return publishing.withdraw(newsletter, on, actor=actor, because="called back")
        return self.issues.get(stored.id)

    def run_due(self) -> None:
        """Plan what is to leave by now; what cannot is called back, and operators are alerted."""
        for stored in self.issues.due_by_hand(self.clock.now()):
            newsletter = self.newsletters.get(stored.issue.newsletter)
            if newsletter:
                self._leave(newsletter, stored)

    def _leave(self, newsletter: Newsletter, stored: StoredIssue) -> None:
        on, actor = stored.issue.date, stored.leaves_by or ""
        try:
            self.planning.hand_over(newsletter, on, actor=actor, leaves_at=stored.leaves_at)
        except NewsletterError as error:
            self.issues.call_back(stored.id)
            alert = OperatorAlert(
                kind=OperatorAlertKind.FAILED,
                newsletter=newsletter.slug,
                date=on,
                sentence=str(error),
            )
            self.schedule.queue_alert(alert, self.clock.now())
