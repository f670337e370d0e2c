"""Assembles the day's issue, sets it in type once, and freezes what was approved."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from newsletter.core.edition import Edition, Letter, compose, whole_edition
from newsletter.core.frozen_issue import basis_of
from newsletter.core.issue import Candidate, Issue, assemble
from newsletter.core.issue_edits import IssueEdits
from newsletter.core.letter_size import refusal
from newsletter.core.mailing import Envelope, Links, content_hash, envelope_of
from newsletter.core.publication import ApprovalPolicy, Newsletter, span_of
from newsletter.core.stored import IssueStatus, StoredIssue
from newsletter.core.web_view import WebView
from newsletter.errors import NotAllowed, NotFound, StaleDraft
from newsletter.ports import Clock, Renderer
from newsletter.services.approval import Approvals
from newsletter.services.letter_sizes import LetterSizes
from newsletter.stores.briefs import BriefStore
from newsletter.stores.issues import IssueStore
from subscribers.db.read_once import read_once

POLICY = "approval policy"  #: the actor of an automatic approval

_ATTEMPTS = 3  #: to store a draft that somebody edits meanwhile


@dataclass(eq=False)
class Publishing:
    """Assembles, sets and approves issues, and cuts letters from their galleys."""

    briefs: BriefStore
    issues: IssueStore
    renderer: Renderer
    approvals: Approvals
    sizes: LetterSizes
    base_url: str
    clock: Clock

    def assemble(self, newsletter: Newsletter, on: date) -> StoredIssue:
        """Assemble and set the issue of a date; one that is frozen stays as it is.

        A day without briefs gives an empty issue, which may still fill up while nothing is sent.
        An approval is void when the sender or the links changed since. What a person edited stays
        edited, and what a person took back waits for a person, whatever the policy. An issue with
        a letter that Gmail would cut is never approved.
        """
        stored = self.issues.find(newsletter.slug, on)
        if stored and stored.state is IssueStatus.APPROVED and self.changed(newsletter, stored):
            self.issues.withdraw(stored.id, "the sender or the links changed since its approval")
        elif stored and not stored.state.is_open:
            return stored
        drafted = self._drafted(newsletter, on, stored)
        if _approves_itself(newsletter, drafted) and not self.too_large(newsletter, drafted):
            digest = self._current_hash(newsletter, drafted)
            return self.approvals.approve(drafted, digest, actor=POLICY)
        return drafted

    def _drafted(self, newsletter: Newsletter, on: date, stored: StoredIssue | None) -> StoredIssue:
        """Set and store the draft of a date; again, if a person edits it in the meantime."""
        for _ in range(_ATTEMPTS):
            edits = stored.edits if stored else IssueEdits()
            one = self.set(newsletter, on, stored, edits)
            drafted = self.issues.save_draft(
                one.issue,
                one.galley,
                one.content_hash,
                self.clock.now(),
                edits_revision=stored.edits_revision if stored else 0,
                basis=one.basis,
            )
            if drafted:
                return drafted
            stored = self.issue(newsletter, on)
        raise NotAllowed(f"the issue of {on} is being edited: assemble it again")

    def changed(self, newsletter: Newsletter, stored: StoredIssue) -> bool:
        """Return whether what would be sent now differs from what was approved."""
        return self._current_hash(newsletter, stored) != stored.approved_hash

    def refuse_changes(self, newsletter: Newsletter, stored: StoredIssue) -> None:
        """Raise NotAllowed if what would be sent now is not what was approved."""
        if self.changed(newsletter, stored):
            raise NotAllowed(
                f"issue {stored.issue.number} of {stored.issue.date} is not what was approved: its "
                "sender or links changed since; put them back, or assemble and approve it again"
            )

    @read_once
    def proof(self, newsletter: Newsletter, on: date) -> StoredIssue:
        """Return the issue of a date as it would be sent now, storing nothing."""
        stored = self.issues.find(newsletter.slug, on)
        if stored and not stored.state.is_open:
            return stored
        one = self.set(newsletter, on, stored, stored.edits if stored else IssueEdits())
        if one.galley is None:
            raise NotFound(f"no accepted brief to print on {on}")
        return one

    def set(
        self, newsletter: Newsletter, on: date, stored: StoredIssue | None, edits: IssueEdits
    ) -> StoredIssue:
        """Return the draft that these edits make of the day's briefs, storing nothing.

        It has no galley when there is nothing to say.
        """
        issue = self._choose(newsletter, on, stored, edits)
        galley = self.renderer.set(newsletter, issue) if issue.entries else None
        return StoredIssue(
            id=stored.id if stored else 0,
            issue=issue,
            state=IssueStatus.DRAFT if galley else IssueStatus.EMPTY,
            galley=galley,
            content_hash=galley and content_hash(self.envelope(newsletter), issue, galley),
            basis=basis_of(newsletter, self.renderer.fingerprints()),
            edits=edits,
        )

    def upcoming(self, newsletter: Newsletter, on: date) -> Issue:
        """Return the issue of a date as it would leave now, without setting or storing it."""
        stored = self.issues.find(newsletter.slug, on)
        if stored and not stored.state.is_open:
            return stored.issue
        return self._choose(newsletter, on, stored, stored.edits if stored else IssueEdits())

    def _choose(
        self, newsletter: Newsletter, on: date, stored: StoredIssue | None, edits: IssueEdits
    ) -> Issue:
        candidates = self.candidates(newsletter, on)
        number = (stored and stored.issue.number) or self.issues.next_number(newsletter.slug)
        return assemble(newsletter, on, number, candidates, edits)

    @read_once
    def candidates(self, newsletter: Newsletter, on: date) -> tuple[Candidate, ...]:
        """Return the accepted briefs that may stand in the issue of a date."""
        now = self.clock.now()
        fresh = now - timedelta(hours=newsletter.caps.age_hours)
        _refuse_odd_date(newsletter, on, now, fresh)
        return self.briefs.candidates(newsletter, on, fresh)

    def redrafted(self, newsletter: Newsletter, stored: StoredIssue) -> Issue:
        """Return the issue as an assembly would choose it now, storing nothing."""
        return self._choose(newsletter, stored.issue.date, stored, stored.edits)

    def approve(
        self, newsletter: Newsletter, on: date, *, actor: str, expecting: str | None = None
    ) -> StoredIssue:
        """Freeze the issue as it was looked at; sending refuses anything else.

        `expecting` is the hash that was shown: StaleDraft says what changed since, or that other
        stories would leave now, which is what was checked. None approves the draft as it is stored
        at this moment.
        """
        stored = self.issue(newsletter, on)
        self.approvals.refuse_stale(stored, expecting)
        if stored.state is IssueStatus.APPROVED:
            return stored
        if stored.state is not IssueStatus.DRAFT:
            raise NotAllowed(f"{stored.summary}: only a draft can be approved")
        self.approvals.refuse_skipped(newsletter, stored)
        self.refuse_own_change(newsletter, stored, actor)
        if too_large := self.too_large(newsletter, stored):
            raise NotAllowed(f"{stored.summary} and cannot be approved: {too_large}")
        digest = self._current_hash(newsletter, stored)
        self.approvals.refuse_unset(stored, digest)
        if expecting is not None:
            self._refuse_other_stories(newsletter, stored)
        return self.approvals.approve(stored, digest, actor=actor)

    def _refuse_other_stories(self, newsletter: Newsletter, stored: StoredIssue) -> None:
        """Raise StaleDraft where what was set is not what would be set now: checks are of that."""
        try:
            now = self.proof(newsletter, stored.issue.date).content_hash
        except NotFound:
            now = None
        if now != stored.content_hash:
            raise StaleDraft(("other stories would leave now; assemble it again",))

    def refuse_own_change(self, newsletter: Newsletter, stored: StoredIssue, actor: str) -> None:
        """Raise OwnChange or UndeclaredLogin where a second person must approve the issue."""
        self.approvals.refuse_own_change(newsletter, stored, actor)

    def too_large(self, newsletter: Newsletter, stored: StoredIssue) -> str | None:
        """Return why an issue may not leave as it is set: Gmail would cut a letter of it."""
        return refusal(self.sizes.large(newsletter, stored))

    def withdraw(
        self, newsletter: Newsletter, on: date, *, actor: str, because: str
    ) -> StoredIssue:
        """Take the approval of an unplanned issue back: it is a draft again, for a person."""
        stored = self.issue(newsletter, on)
        return self.approvals.withdraw(stored, actor=actor, because=because)

    def envelope(self, newsletter: Newsletter) -> Envelope:
        return envelope_of(newsletter, self.base_url)

    def _current_hash(self, newsletter: Newsletter, stored: StoredIssue) -> str:
        return content_hash(self.envelope(newsletter), stored.issue, stored.need_galley())

    def issue(self, newsletter: Newsletter, on: date) -> StoredIssue:
        """Return the issue of a date; NotFound if none was assembled."""
        stored = self.issues.find(newsletter.slug, on)
        if stored is None:
            raise NotFound(f"{newsletter.name} has no issue of {on}; assemble it first")
        return stored

    def letter(
        self,
        stored: StoredIssue,
        edition: Edition,
        *,
        web: WebView | None = None,
    ) -> Letter:
        """Cut an edition's letter; with `web` as anybody may see it."""
        links, issue = Links(self.base_url), stored.issue
        return compose(
            stored.need_galley(),
            edition,
            view_url=links.view(issue.newsletter, issue.date, edition),
            subscribe_url=links.subscribe(issue.newsletter),
            web=web,
        )

    def whole(self, stored: StoredIssue) -> Letter:
        """Return the letter that prints everything."""
        return self.letter(stored, whole_edition(stored.issue))


def _approves_itself(newsletter: Newsletter, drafted: StoredIssue) -> bool:
    automatic = newsletter.approval is ApprovalPolicy.AUTOMATIC
    return automatic and drafted.state is IssueStatus.DRAFT and drafted.withdrawn_by is None


def _refuse_odd_date(newsletter: Newsletter, on: date, now: datetime, fresh: datetime) -> None:
    """Refuse a date that is still to come, or so long gone that no brief of it is fresh."""
    start, end = span_of(newsletter, on)
    if start > now:
        raise NotAllowed(f"{on} is in the future; its briefs have not arrived yet")
    if end <= fresh:
        raise NotAllowed(f"{on} is too long ago: today's briefs do not belong to it")
