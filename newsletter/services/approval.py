"""Approves exactly the draft that was looked at, and takes an approval back."""

from dataclasses import dataclass

from newsletter.core.api_token import is_token_actor, token_number
from newsletter.core.draft_changes import contents_of, differences
from newsletter.core.publication import ApprovalPolicy, Newsletter
from newsletter.core.staff import one_person
from newsletter.core.stored import IssueStatus, StoredIssue
from newsletter.errors import NotAllowed, NotAPerson, OwnChange, StaleDraft, UndeclaredLogin
from newsletter.ports import Clock
from newsletter.stores.api_tokens import ApiTokenStore
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.issue_edits import IssueEditStore
from newsletter.stores.issues import IssueStore
from newsletter.stores.schedule import ScheduleStore
from newsletter.stores.staff import StaffStore


@dataclass(eq=False)
class Approvals:
    """Decides whether a draft may be approved, by whom, and records it.

    `practice` says that no real mail can leave from here: then one person may do both parts of a
    four-eyes approval.
    """

    issues: IssueStore
    edits: IssueEditStore
    schedule: ScheduleStore
    staff: StaffStore
    tokens: ApiTokenStore
    decisions: DecisionLog
    clock: Clock
    practice: bool = False

    def refuse_stale(self, stored: StoredIssue, seen: str | None) -> None:
        """Raise StaleDraft, with what changed, unless the issue is the draft that was seen."""
        if seen is not None and seen != stored.content_hash:
            raise StaleDraft(self.changes(stored, seen))

    def changes(self, stored: StoredIssue, seen: str) -> tuple[str, ...]:
        """Return what changed between a draft that was seen and the issue as it is now."""
        before = self.edits.contents(stored.id, seen)
        if before is None:
            return (f"no draft of {stored.issue.date} has the hash {seen:.12}",)
        found = differences(before, contents_of(stored.issue))
        return found or ((stored.reason,) if stored.reason else ())

    def refuse_unset(self, stored: StoredIssue, digest: str) -> None:
        """Raise StaleDraft if the draft was not set as it would be sent now."""
        if stored.content_hash is None:
            raise StaleDraft((f"{stored.reason}; assemble it again",))
        if stored.content_hash != digest:
            raise StaleDraft(("its sender or links changed; assemble it again",))

    def refuse_skipped(self, newsletter: Newsletter, stored: StoredIssue) -> None:
        """Raise NotAllowed where a person skips the day: what is approved would never leave."""
        on = stored.issue.date
        if skipped := self.schedule.skipped_since(newsletter.slug, on).get(on):
            raise NotAllowed(
                f"{skipped.by} skips {on}: {skipped.because}; let the day have its issue first"
            )

    def refuse_own_change(self, newsletter: Newsletter, stored: StoredIssue, actor: str) -> None:
        """Raise OwnChange where nobody approves what they changed last, and this person did.

        One person counts once, at the console and at the command line. A login of the command line
        that nobody of the staff declared may be anybody: it is never the second person. A token is
        nobody, and NotAPerson; what it changed counts as changed by whoever made it.
        """
        if newsletter.approval is not ApprovalPolicy.FOUR_EYES or self.practice:
            return
        if is_token_actor(actor):
            raise NotAPerson
        last = self.edits.last_change(stored.id)
        if last is None:
            return
        members, by = self.staff.members(), self._answers_for(last.by)
        changed_by, approved_by = one_person(by, members), one_person(actor, members)
        for login, person in ((by, changed_by), (actor, approved_by)):
            if person is None:
                raise UndeclaredLogin(login)
        if changed_by == approved_by:
            raise OwnChange(
                f"{last.by} changed the issue of {stored.issue.date} last, at "
                f"{last.at:%Y-%m-%d %H:%M %Z}: someone else must approve it"
            )

    def _answers_for(self, actor: str) -> str:
        """Return who made the token, if it was a program."""
        number = token_number(actor)
        token = self.tokens.get(number) if number else None
        return token.created_by if token else actor

    def approve(self, stored: StoredIssue, digest: str, *, actor: str) -> StoredIssue:
        """Freeze the draft of this hash; StaleDraft if another one has its place by now."""
        approved = self.issues.approve(stored.id, digest, actor, self.clock.now())
        if approved is None:
            now = self.issues.get(stored.id)
            if now.state is IssueStatus.APPROVED and now.approved_hash == digest:
                return now  # somebody else approved just this
            raise StaleDraft(self.changes(now, digest))
        detail = {"content_hash": digest}
        self.decisions.record(actor, f"issue {stored.id}", "approve", detail)
        return approved

    def withdraw(self, stored: StoredIssue, *, actor: str, because: str) -> StoredIssue:
        """Make an approved, unplanned issue a draft again, which no policy approves by itself."""
        reason = f"taken back by {actor}: {because}"
        taken = self.issues.take_back(stored.id, actor, reason)
        if taken is None:
            now = self.issues.get(stored.id)
            raise NotAllowed(f"{now.summary}: only an approved issue can be taken back")
        detail = {"because": because, "content_hash": stored.approved_hash}
        self.decisions.record(actor, f"issue {stored.id}", "withdraw", detail)
        return taken
