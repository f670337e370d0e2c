"""What differs between two states of one issue: in sentences, and word by word.

A person who approved one, or looked at one, is shown what became of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from newsletter.core.brief import Brief
from newsletter.core.difference import Difference, brief_differences, differences
from newsletter.core.draft_changes import DraftContents, contents_of
from newsletter.core.draft_changes import differences as sentences
from newsletter.core.galley import Galley
from newsletter.core.issue import Issue
from newsletter.core.wording import Wording

Briefs = Mapping[int, Brief]


@dataclass(frozen=True, kw_only=True)
class ApprovedIssue:
    """What an approval was about, as it was looked at: stored for good."""

    by: str
    at: datetime
    content_hash: str
    issue: Issue
    galley: Galley


@dataclass(frozen=True, kw_only=True)
class FieldChange:
    """A field whose words changed: the issue's own, or a story's."""

    name: str
    pieces: tuple[Difference, ...]
    story: str = ""  #: its title now; empty: it is the issue's own field


@dataclass(frozen=True, kw_only=True)
class IssueChanges:
    """All that differs between two states of an issue."""

    sentences: tuple[str, ...]  #: one each, without a full stop
    fields: tuple[FieldChange, ...]

    def __bool__(self) -> bool:
        return bool(self.sentences or self.fields)


def issue_changes(before: Issue, after: Issue) -> IssueChanges:
    """Return what differs between two states of an issue."""
    old, new = contents_of(before), contents_of(after)
    return changes_of(old, new, _briefs(before), _briefs(after))


def changes_of(
    old: DraftContents, new: DraftContents, before: Briefs, after: Briefs
) -> IssueChanges:
    """Return what differs between two drafts, whose briefs are given by their number."""
    fields = (
        *_of_wording(old.wording, new.wording),
        *_of_lines(old, new),
        *_of_briefs(before, after),
    )
    return IssueChanges(sentences=sentences(old, new), fields=tuple(fields))


def _briefs(issue: Issue) -> dict[int, Brief]:
    return {entry.brief_id: entry.brief for entry in issue.entries}


def _of_wording(old: Wording, new: Wording) -> Iterator[FieldChange]:
    for name in ("subject", "preheader", "note"):
        was, now = getattr(old, name), getattr(new, name)
        if was != now:
            yield FieldChange(name=name, pieces=differences(was, now))


def _of_lines(old: DraftContents, new: DraftContents) -> Iterator[FieldChange]:
    was = {one.brief_id: one.short_line for one in old.entries}
    for one in new.entries:
        if one.brief_id in was and was[one.brief_id] != one.short_line:
            pieces = differences(was[one.brief_id], one.short_line)
            yield FieldChange(name="short line", pieces=pieces, story=one.title)


def _of_briefs(before: Briefs, after: Briefs) -> Iterator[FieldChange]:
    for brief_id, brief in after.items():
        if brief_id in before:
            for name, pieces in brief_differences(before[brief_id], brief).items():
                yield FieldChange(name=name, pieces=pieces, story=brief.title)
