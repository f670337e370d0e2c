"""Edits drafts: order, pin, what is left out, short lines, subject, preheader, editors' note.

Every edit names the draft it was made on, sets it in type again, and is recorded.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from newsletter.core.draft_changes import contents_of, differences
from newsletter.core.draft_patch import DraftPatch, patched
from newsletter.core.issue import Issue
from newsletter.core.issue_edits import (
    IssueEdits,
    moved,
    with_again,
    with_short_line,
    without,
)
from newsletter.core.publication import Newsletter
from newsletter.core.stored import StoredIssue
from newsletter.core.wording import (
    SUBJECT_LENGTH,
    Wording,
    line_faults,
    on_one_line,
    wording_faults,
)
from newsletter.errors import NotAllowed, NotFound, StaleDraft
from newsletter.ports import Clock
from newsletter.services.approval import Approvals
from newsletter.services.publishing import Publishing
from newsletter.stores.briefs import BriefStore
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.issue_edits import IssueEditStore

#: What an edit makes of the edits so far; it may refuse by NotAllowed.
_Change = Callable[[Issue, IssueEdits], IssueEdits]


@dataclass(frozen=True, kw_only=True)
class SeenDraft:
    """The draft that a person edits, as they saw it."""

    newsletter: Newsletter
    on: date
    content_hash: str
    actor: str


@dataclass(frozen=True, kw_only=True)
class EditedDraft:
    """The draft that an edit made."""

    stored: StoredIssue
    changes: tuple[str, ...]  #: all that is different now, also what a newly received brief brought


@dataclass(eq=False)
class Editing:
    """Edits a draft; StaleDraft if it is not the one that was seen, NotAllowed once frozen."""

    publishing: Publishing
    approvals: Approvals
    briefs: BriefStore
    edits: IssueEditStore
    decisions: DecisionLog
    clock: Clock

    def seen(
        self, newsletter: Newsletter, on: date, *, actor: str, content_hash: str | None = None
    ) -> SeenDraft:
        """Return the draft of this hash, or the one stored now, for an edit by this person."""
        if content_hash is None:
            content_hash = self.publishing.issue(newsletter, on).content_hash or ""
        return SeenDraft(newsletter=newsletter, on=on, content_hash=content_hash, actor=actor)

    def move(self, draft: SeenDraft, brief_id: int, *, before: int | None) -> EditedDraft:
        """Move a brief before another one, or to the end."""

        def change(issue: Issue, edits: IssueEdits) -> IssueEdits:
            named = [brief_id] if before is None else [brief_id, before]
            order = _order(issue, *named)
            if edits.pinned in named:
                raise NotAllowed(f"brief {edits.pinned} is pinned as the lead; unpin it to move it")
            after = order if brief_id == before else moved(order, brief_id, before)
            return edits if after == order else replace(edits, order=after)

        return self._edit(draft, "move", change)

    def move_up(self, draft: SeenDraft, brief_id: int) -> EditedDraft:
        """Move a brief up by one place; the first stays where it is."""
        order, at = self._place(draft, brief_id)
        return self.move(draft, brief_id, before=order[max(at - 1, 0)])

    def move_down(self, draft: SeenDraft, brief_id: int) -> EditedDraft:
        """Move a brief down by one place; the last stays where it is."""
        order, at = self._place(draft, brief_id)
        return self.move(draft, brief_id, before=order[at + 2] if at + 2 < len(order) else None)

    def _place(self, draft: SeenDraft, brief_id: int) -> tuple[tuple[int, ...], int]:
        stored = self.publishing.issue(draft.newsletter, draft.on)
        self.approvals.refuse_stale(stored, draft.content_hash)
        order = _order(stored.issue, brief_id)
        return order, order.index(brief_id)

    def pin(self, draft: SeenDraft, brief_id: int) -> EditedDraft:
        """Have a brief lead the issue, in place of one pinned before."""

        def change(issue: Issue, edits: IssueEdits) -> IssueEdits:
            _order(issue, brief_id)
            return replace(edits, pinned=brief_id)

        return self._edit(draft, "pin", change)

    def unpin(self, draft: SeenDraft) -> EditedDraft:
        return self._edit(draft, "unpin", lambda _, edits: replace(edits, pinned=None))

    def leave_out(self, draft: SeenDraft, brief_id: int) -> EditedDraft:
        """Leave a brief out of this issue; another may print it while it is fresh."""

        def change(issue: Issue, edits: IssueEdits) -> IssueEdits:
            _order(issue, brief_id)
            return without(edits, brief_id)

        return self._edit(draft, "leave out", change)

    def take_in(self, draft: SeenDraft, brief_id: int) -> EditedDraft:
        """Take a brief back in that was left out; it is printed if the caps leave it a place."""

        def change(_: Issue, edits: IssueEdits) -> IssueEdits:
            if brief_id not in edits.left_out:
                raise NotFound(f"brief {brief_id} was not left out of the issue of {draft.on}")
            return with_again(edits, brief_id)

        return self._edit(draft, "take in", change)

    def shorten(self, draft: SeenDraft, brief_id: int, line: str) -> EditedDraft:
        """Set the line that editions led by this brief have as their subject; empty: its title."""
        line = " ".join(line.split())
        _refuse(line_faults("short line", line, SUBJECT_LENGTH))

        def change(issue: Issue, edits: IssueEdits) -> IssueEdits:
            _order(issue, brief_id)
            return with_short_line(edits, brief_id, line)

        return self._edit(draft, "shorten", change)

    def word(self, draft: SeenDraft, **fields: Any) -> EditedDraft:
        """Set fields of the issue's wording: subject, about, preheader, note, note_kind."""

        def change(issue: Issue, edits: IssueEdits) -> IssueEdits:
            worded = _worded(issue, replace(edits.wording, **on_one_line(fields)))
            _refuse(wording_faults(worded))
            return replace(edits, wording=worded)

        return self._edit(draft, "word", change)

    def revise(self, draft: SeenDraft, patch: DraftPatch) -> EditedDraft:
        """Change several things at once, or nothing; InvalidEdit names what is wrong."""
        leads = draft.newsletter.caps.leads
        return self._edit(
            draft, "edit", lambda issue, edits: patched(issue, edits, patch, leads=leads)
        )

    def left_out(self, stored: StoredIssue) -> tuple[tuple[int, str], ...]:
        """Return the briefs that a person left out of an issue, each with its title."""
        found = (self.briefs.get(one) for one in stored.edits.left_out)
        return tuple((one.brief_id, one.brief.title) for one in found)

    def _edit(self, draft: SeenDraft, verb: str, change: _Change) -> EditedDraft:
        stored = self.publishing.issue(draft.newsletter, draft.on)
        if not stored.state.is_open:
            raise NotAllowed(f"{stored.summary}: take the approval back before you edit it")
        self.approvals.refuse_stale(stored, draft.content_hash)
        edits = change(stored.issue, stored.edits)
        if edits == stored.edits:
            return EditedDraft(stored=stored, changes=())
        edited = self.publishing.set(draft.newsletter, draft.on, stored, edits)
        if edited.galley is None:
            raise NotAllowed("an issue prints one story at least")
        saved = self.edits.save(
            edited, edits, seen=draft.content_hash, by=draft.actor, now=self.clock.now()
        )
        if saved is None:
            now = self.publishing.issue(draft.newsletter, draft.on)
            raise StaleDraft(self.approvals.changes(now, draft.content_hash))
        detail = _before_and_after(stored.edits, edits)
        self.decisions.record(draft.actor, f"issue {stored.id}", verb, detail)
        changes = differences(contents_of(stored.issue), contents_of(saved.issue))
        return EditedDraft(stored=saved, changes=changes)


def _order(issue: Issue, *brief_ids: int) -> tuple[int, ...]:
    """Return the order of an issue; NotFound if it does not print one of these briefs."""
    order = tuple(entry.brief_id for entry in issue.entries)
    for one in brief_ids:
        if one not in order:
            raise NotFound(f"brief {one} is not in the issue of {issue.date}")
    return order


def _worded(issue: Issue, wording: Wording) -> Wording:
    """Return the wording with the story that it is about: the first, unless a person named one.

    It is fixed now: another story that is the first later was not meant.
    """
    if not (wording.subject or wording.preheader):
        return replace(wording, about=None)
    printed = [entry.brief_id for entry in issue.entries]
    about = printed[0] if wording.about is None else wording.about
    if about not in printed and about == issue.wording.about:  # it was, when it was chosen
        raise NotAllowed(
            "The story that the subject promises is not in the issue any more: choose one, or"
            " empty subject and preheader."
        )
    _order(issue, about)
    return replace(wording, about=about)


def _refuse(faults: Iterable[str]) -> None:
    if found := " ".join(faults):
        raise NotAllowed(found)


def _before_and_after(before: IssueEdits, after: IssueEdits) -> dict[str, Any]:
    """Return what an edit changed, and nothing else, as it was and as it is."""
    old, new = asdict(before), asdict(after)
    changed = [name for name in new if old[name] != new[name]]
    return {
        "before": {name: old[name] for name in changed},
        "after": {name: new[name] for name in changed},
    }
