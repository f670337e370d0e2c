"""Assembling the day's issue, setting it in type once, and freezing what was approved."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from newsletter.core.edition import Edition, Letter, compose, edition_of
from newsletter.core.galley import Galley
from newsletter.core.issue import Issue, assemble
from newsletter.core.mailing import Links, content_hash, envelope_of
from newsletter.core.publication import ApprovalPolicy, Newsletter
from newsletter.core.stored import IssueStatus, StoredIssue
from newsletter.errors import NotAllowed, NotFound
from newsletter.ports import Clock, Renderer
from newsletter.stores.briefs import BriefStore
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.issues import IssueStore

POLICY = "approval policy"  #: the actor of an automatic approval


class Publishing:
    """The press room."""

    def __init__(
        self,
        *,
        briefs: BriefStore,
        issues: IssueStore,
        renderer: Renderer,
        decisions: DecisionLog,
        base_url: str,
        clock: Clock,
    ) -> None:
        self._briefs, self._issues = briefs, issues
        self._renderer, self._decisions = renderer, decisions
        self._base_url, self._clock = base_url, clock

    def assemble(self, newsletter: Newsletter, on: date) -> StoredIssue:
        """Assemble and set the issue of a date; one that is frozen stays as it is.

        A day without briefs gives an empty issue, which may still fill up while nothing is sent.
        An approval that no longer fits, since the sender or the links changed, is void.
        """
        filed = self._issues.find(newsletter.slug, on)
        if filed and filed.state is IssueStatus.APPROVED and self.changed(newsletter, filed):
            self._issues.withdraw(filed.id, "the sender or the links changed since its approval")
        elif filed and not filed.state.is_open:
            return filed
        issue, galley, digest = self._set(newsletter, on, filed)
        drafted = self._issues.draft(issue, galley, digest, self._clock.now())
        if drafted.state is IssueStatus.DRAFT and newsletter.approval is ApprovalPolicy.AUTOMATIC:
            return self.approve(newsletter, on, actor=POLICY)
        return drafted

    def changed(self, newsletter: Newsletter, filed: StoredIssue) -> bool:
        """Tell whether what would be sent now is another thing than what was approved."""
        return self._current_hash(newsletter, filed) != filed.approved_hash

    def proof(self, newsletter: Newsletter, on: date) -> StoredIssue:
        """Return the issue of a date as it would go out now, keeping nothing."""
        filed = self._issues.find(newsletter.slug, on)
        if filed and not filed.state.is_open:
            return filed
        issue, galley, digest = self._set(newsletter, on, filed)
        if galley is None:
            raise NotFound(f"no accepted brief to print on {on}")
        return StoredIssue(
            id=0, issue=issue, state=IssueStatus.DRAFT, galley=galley, content_hash=digest
        )

    def _set(
        self, newsletter: Newsletter, on: date, filed: StoredIssue | None
    ) -> tuple[Issue, Galley | None, str | None]:
        """Choose the day's briefs and set them in type; no galley when there is nothing to say."""
        now = self._clock.now()
        fresh = now - timedelta(hours=newsletter.caps.age_hours)
        _refuse_odd_date(newsletter, on, now, fresh)
        candidates = self._briefs.candidates(newsletter, on, fresh)
        number = filed.issue.number if filed else 0
        number = number or self._issues.next_number(newsletter.slug)
        issue = assemble(newsletter, on, number, candidates)
        if not issue.entries:
            return issue, None, None
        galley = self._renderer.set(newsletter, issue)
        digest = content_hash(envelope_of(newsletter, self._base_url), issue, galley)
        return issue, galley, digest

    def approve(self, newsletter: Newsletter, on: date, *, actor: str) -> StoredIssue:
        """Freeze the issue as it is set now; sending will refuse anything else."""
        filed = self.issue(newsletter, on)
        if filed.state is IssueStatus.APPROVED:
            return filed
        if filed.state is not IssueStatus.DRAFT:
            raise NotAllowed(f"the issue of {on} is {filed.state}: only a draft can be approved")
        digest = self._current_hash(newsletter, filed)
        approved = self._issues.approve(filed.id, digest, actor, self._clock.now())
        self._decisions.note(actor, f"issue {filed.id}", "approve", {"content_hash": digest})
        return approved

    def _current_hash(self, newsletter: Newsletter, filed: StoredIssue) -> str:
        """Return the hash of what would be sent now."""
        if filed.galley is None:
            raise NotAllowed(f"the issue of {filed.issue.date} is {filed.state}: nothing is set")
        return content_hash(envelope_of(newsletter, self._base_url), filed.issue, filed.galley)

    def issue(self, newsletter: Newsletter, on: date) -> StoredIssue:
        """Return the issue of a date; NotFound if none was assembled."""
        filed = self._issues.find(newsletter.slug, on)
        if filed is None:
            raise NotFound(f"{newsletter.name} has no issue of {on}; assemble it first")
        return filed

    def letter(self, filed: StoredIssue, edition: Edition, *, personal: bool = True) -> Letter:
        """Cut an edition's letter from the issue's galley."""
        if filed.galley is None:
            raise NotAllowed(f"the issue of {filed.issue.date} is {filed.state}: nothing is set")
        view = Links(self._base_url).view(filed.issue.newsletter, filed.issue.date, edition)
        return compose(filed.galley, edition, view_url=view, personal=personal)

    def published(self, newsletter: Newsletter) -> tuple[StoredIssue, ...]:
        """Return the issues on their way or sent, the newest first."""
        return self._issues.published(newsletter.slug)

    def public_view(self, newsletter: Newsletter, on: date, key: str | None = None) -> Letter:
        """Return an edition as anyone may see it, the whole issue by default; else NotFound."""
        filed = self.issue(newsletter, on)
        if filed.planned_at is None:
            raise NotFound(f"the issue of {on} is not out yet")
        ids = whole(filed.issue).brief_ids if key is None else self._issues.edition(filed.id, key)
        if ids is None:
            raise NotFound(f"there is no such edition of {on}")
        return self.letter(filed, edition_of(filed.issue, ids), personal=False)


def _refuse_odd_date(newsletter: Newsletter, on: date, now: datetime, fresh: datetime) -> None:
    """Refuse a date that is still to come, or so long gone that no brief of it is fresh."""
    start, end = span_of(newsletter, on)
    if start > now:
        raise NotAllowed(f"{on} is still to come: its briefs are not in yet")
    if end <= fresh:
        raise NotAllowed(f"{on} is long gone: today's briefs do not belong to it")


def whole(issue: Issue) -> Edition:
    """Return the edition that holds every brief of an issue."""
    return edition_of(issue, (entry.brief_id for entry in issue.entries))


def day_of(newsletter: Newsletter, moment: datetime) -> date:
    """Return the date of a moment where the newsletter is made."""
    return moment.astimezone(ZoneInfo(newsletter.timetable.zone)).date()


def span_of(newsletter: Newsletter, on: date) -> tuple[datetime, datetime]:
    """Return the first moment of a date where the newsletter is made, and the next day's."""
    zone = ZoneInfo(newsletter.timetable.zone)
    return (
        datetime.combine(on, time(), zone),
        datetime.combine(on + timedelta(days=1), time(), zone),
    )
