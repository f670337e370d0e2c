"""Reads what is there, for people who look: issues, briefs, and what was decided about them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from newsletter.core.issue_line import IssueLine, PlannedEdition
from newsletter.core.issue_totals import IssueTotals
from newsletter.core.publication import Newsletter, span_of
from newsletter.core.stored import (
    BriefRevision,
    IssueProgress,
    IssueStatus,
    StoredBrief,
    StoredIssue,
)
from newsletter.core.verification import Ruling
from newsletter.errors import NotFound
from newsletter.stores.briefs import BriefStore
from newsletter.stores.decisions import Decision, DecisionFilter, DecisionLog, DecisionPage
from newsletter.stores.deliveries import DeliveryStore
from newsletter.stores.issue_edits import IssueEditStore
from newsletter.stores.issue_history import IssueHistory
from newsletter.stores.issues import IssueStore

ISSUES_ON_A_PAGE = 30


@dataclass(eq=False)
class Archive:
    """Finds issues, briefs and decisions, and writes nothing but who looked somebody up."""

    issues: IssueStore
    history: IssueHistory
    briefs: BriefStore
    decisions: DecisionLog
    deliveries: DeliveryStore
    edits: IssueEditStore

    def issue(self, newsletter: Newsletter, on: date) -> StoredIssue | None:
        """Return the issue of a date; None before it is assembled."""
        return self.issues.find(newsletter.slug, on)

    def progress(self, newsletter: Newsletter, on: date) -> IssueProgress | None:
        """Return how the issue of a date stands, for whoever asks every few seconds."""
        return self.issues.progress(newsletter.slug, on)

    def listed(self, newsletter: Newsletter, *, before: date | None) -> tuple[IssueLine, ...]:
        """Return issues, the newest first, of dates before this one."""
        return self.history.listed(newsletter.slug, before=before, limit=ISSUES_ON_A_PAGE)

    def newest(
        self,
        newsletters: Iterable[Newsletter],
        *,
        state: IssueStatus | None = None,
        before: int | None = None,
        limit: int,
    ) -> tuple[IssueLine, ...]:
        """Return issues of these newsletters, the newest first, and only the numbers before."""
        slugs = [one.slug for one in newsletters]
        return self.history.newest(slugs, state=state, before=before, limit=limit)

    def editions(self, stored: StoredIssue) -> tuple[PlannedEdition, ...]:
        """Return the editions of a planned issue, the one with most readers first."""
        return self.history.editions(stored.id)

    def last_sent(self, newsletter: Newsletter) -> date | None:
        """Return the date of the last issue that was planned."""
        sent = self.issues.published(newsletter.slug, limit=1)
        return sent[0].issue.date if sent else None

    def received(self, newsletter: Newsletter, first: date, last: date) -> tuple[StoredBrief, ...]:
        """Return the briefs received from one date to another, the oldest first."""
        start, _ = span_of(newsletter, first)
        _, end = span_of(newsletter, last)
        return self.briefs.on(start, end, newsletter.pillar)

    def received_by(
        self,
        newsletters: Iterable[Newsletter],
        *,
        on: date | None = None,
        ruling: Ruling | None = None,
        before: int | None = None,
        limit: int,
    ) -> tuple[StoredBrief, ...]:
        """Return the briefs of these newsletters, the newest first, and only the numbers before.

        With a date only those that came then, each by its own newsletter's day.
        """
        spans = {one.pillar.casefold(): on and span_of(one, on) for one in newsletters}
        return self.briefs.listed(spans, ruling=ruling, before=before, limit=limit)

    def brief(self, newsletter: Newsletter, brief_id: int) -> StoredBrief:
        """Return a brief of this newsletter; one of another newsletter does not exist here."""
        return self.brief_of([newsletter], brief_id)

    def brief_of(self, newsletters: Iterable[Newsletter], brief_id: int) -> StoredBrief:
        """Return a brief of one of these newsletters; one of another does not exist here."""
        stored = self.briefs.get(brief_id)
        if stored.brief.pillar.casefold() not in {one.pillar.casefold() for one in newsletters}:
            raise NotFound(f"there is no brief {brief_id}")
        return stored

    def revisions(self, brief_id: int) -> tuple[BriefRevision, ...]:
        """Return every revision of a brief, the oldest first."""
        return self.briefs.revisions(brief_id)

    def last_change(self, stored: StoredIssue) -> str | None:
        """Return who changed an issue, or a brief in it, last; None if nobody did."""
        last = self.edits.last_change(stored.id)
        return last.by if last else None

    def about(self, subject: str) -> tuple[Decision, ...]:
        """Return what was decided about a subject, the oldest first."""
        return self.decisions.about(subject)

    def recent(
        self,
        *,
        actor: str,
        verb: str,
        cursor: int | None,
        newsletters: frozenset[str] | None = None,
        limit: int = 50,
    ) -> DecisionPage:
        """Return a page of what was decided, the newest first; empty words do not matter.

        With newsletters it has only what is about one of these.
        """
        which = DecisionFilter(
            actor=actor.strip() or None, verb=verb.strip() or None, newsletters=newsletters
        )
        return self.decisions.recent(which, cursor, limit=limit)

    def days_of(self, issue_ids: Collection[int]) -> dict[int, date]:
        """Return the date of each of these issues."""
        return self.history.days_of(issue_ids)

    def totals(self, stored: StoredIssue) -> IssueTotals:
        """Return the sums of a planned issue."""
        return self.deliveries.totals(stored.id)

    def record_look(self, actor: str, subscriber_id: int | None, verb: str) -> None:
        """Record that a member of staff looked a reader up; by number, which erasure empties."""
        subject = f"subscriber {subscriber_id}" if subscriber_id else "unknown address"
        self.decisions.record(actor, subject, verb, {})

    def record_list(
        self, actor: str, stored: StoredIssue, *, group: str, reason: str, shown: int
    ) -> None:
        """Record that somebody had a page of an issue's readers listed, and how many."""
        detail = {"group": str(group), "reason": reason, "readers": shown}
        self.decisions.record(actor, f"issue {stored.id}", "list readers", detail)
