"""Says what a person should know of an issue that is shown to them, besides its stories."""

from dataclasses import dataclass

from newsletter.core.draft_changes import contents_of, differences
from newsletter.core.frozen_issue import FrozenIssue, basis_changes, basis_of
from newsletter.core.left_out import BriefLeftOut, left_out
from newsletter.core.publication import Newsletter
from newsletter.core.stored import IssueStatus, StoredIssue
from newsletter.errors import NotAllowed
from newsletter.services.publishing import Publishing


@dataclass(eq=False)
class IssueRemarks:
    """Reads only: what an issue leaves out, whether it is frozen, and how large its letters are."""

    publishing: Publishing

    def frozen(self, newsletter: Newsletter, stored: StoredIssue) -> FrozenIssue | None:
        """Return since when and by whom an issue is approved that has not left; else None."""
        if stored.state is not IssueStatus.APPROVED or stored.approved_at is None:
            return None
        now = basis_of(newsletter, self.publishing.renderer.fingerprints())
        return FrozenIssue(
            newsletter=newsletter.slug,
            date=stored.issue.date,
            by=stored.approved_by or "someone",
            since=stored.approved_at,
            changes=(
                *basis_changes(stored.basis, now),
                *self._other_stories(newsletter, stored),
            ),
        )

    def left_out(self, newsletter: Newsletter, stored: StoredIssue) -> tuple[BriefLeftOut, ...]:
        """Return the accepted briefs that are not in an issue that has not left."""
        if stored.planned_at is not None:
            return ()
        try:
            candidates = self.publishing.candidates(newsletter, stored.issue.date)
        except NotAllowed:  # its day is long over
            return ()
        by_hand = stored.edits.left_out
        return tuple(left_out(newsletter, stored.issue, candidates, by_hand))

    def sentences(self, newsletter: Newsletter, stored: StoredIssue) -> tuple[str, ...]:
        """Return all of it, a sentence without a full stop each."""
        frozen = self.frozen(newsletter, stored)
        large = self.publishing.sizes.large(newsletter, stored)
        out = (
            f"“{one.title}” (brief {one.brief_id}) is left out: {one.reason}"
            for one in self.left_out(newsletter, stored)
        )
        return (*(frozen.sentences if frozen else ()), *(one.sentence for one in large), *out)

    def _other_stories(self, newsletter: Newsletter, stored: StoredIssue) -> tuple[str, ...]:
        """Return what an assembly would choose otherwise now."""
        try:
            now = self.publishing.redrafted(newsletter, stored)
        except NotAllowed:
            return ()
        return differences(contents_of(stored.issue), contents_of(now))
