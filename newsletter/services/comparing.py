"""Says what differs from what was approved, or from the draft that somebody looked at."""

from dataclasses import dataclass, replace
from datetime import date

from newsletter.core.brief import Brief
from newsletter.core.draft_changes import DraftContents, contents_of
from newsletter.core.issue_changes import ApprovedIssue, IssueChanges, changes_of, issue_changes
from newsletter.core.publication import Newsletter
from newsletter.core.stored import IssueStatus, StoredIssue
from newsletter.errors import NotFound
from newsletter.services.publishing import Publishing
from newsletter.stores.briefs import BriefStore
from newsletter.stores.issue_edits import IssueEditStore
from newsletter.stores.issues import IssueStore

_NOT_ITS_WORDS = "its sender, its links or the templates changed"


@dataclass(frozen=True, kw_only=True)
class SinceApproval:
    """The last approval of an issue, and what would be sent otherwise now."""

    approved: ApprovedIssue
    changes: IssueChanges  #: none: what would be sent is what was approved

    @property
    def as_stored(self) -> StoredIssue:
        """Return the issue as it was approved, for a letter to be cut from it."""
        one = self.approved
        return StoredIssue(
            id=0,
            issue=one.issue,
            state=IssueStatus.APPROVED,
            galley=one.galley,
            content_hash=one.content_hash,
        )


@dataclass(eq=False)
class Comparing:
    """Compares states of an issue; it reads only."""

    publishing: Publishing
    issues: IssueStore
    edits: IssueEditStore
    briefs: BriefStore

    def since_approval(self, newsletter: Newsletter, on: date) -> SinceApproval | None:
        """Return what changed since the last approval; None if the issue never was approved."""
        stored = self.publishing.issue(newsletter, on)
        approved = self.issues.last_approved(stored.id)
        if approved is None:
            return None
        try:
            now = self.publishing.proof(newsletter, on)
        except NotFound:
            now = replace(stored, issue=replace(stored.issue, entries=()), content_hash=None)
        changes = issue_changes(approved.issue, now.issue)
        if not changes and now.content_hash != approved.content_hash:
            changes = IssueChanges(sentences=(_NOT_ITS_WORDS,), fields=())
        return SinceApproval(approved=approved, changes=changes)

    def since_seen(self, newsletter: Newsletter, on: date, seen: str) -> IssueChanges:
        """Return what changed since the draft of this hash; nothing if there never was one."""
        stored = self.publishing.issue(newsletter, on)
        before = self.edits.contents(stored.id, seen)
        if before is None:
            return IssueChanges(sentences=(), fields=())
        after = contents_of(stored.issue)
        return changes_of(before, after, self._texts(before), self._texts(after))

    def _texts(self, draft: DraftContents) -> dict[int, Brief]:
        """Return what each brief said in the revision that the draft had."""
        return {
            one.brief_id: revision.brief
            for one in draft.entries
            for revision in self.briefs.revisions(one.brief_id)
            if revision.revision == one.revision
        }
