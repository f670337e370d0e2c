"""What changed between two drafts of one issue, in sentences.

A draft is remembered by its hash, so that whoever approves or edits another one than they looked at
is told what became of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from newsletter.core.issue import Issue, IssueEntry
from newsletter.core.wording import NO_WORDING, Wording


@dataclass(frozen=True, kw_only=True)
class DraftEntry:
    """A brief in a draft, as far as two drafts are compared."""

    brief_id: int
    revision: int
    title: str
    topics: tuple[str, ...]
    lead: bool
    short_line: str = ""


@dataclass(frozen=True, kw_only=True)
class DraftContents:
    """What a draft consisted of, in its order."""

    entries: tuple[DraftEntry, ...]
    wording: Wording = NO_WORDING


def contents_of(issue: Issue) -> DraftContents:
    return DraftContents(entries=tuple(_entry(one) for one in issue.entries), wording=issue.wording)


def _entry(one: IssueEntry) -> DraftEntry:
    return DraftEntry(
        brief_id=one.brief_id,
        revision=one.revision,
        title=one.brief.title,
        topics=one.topics,
        lead=one.lead,
        short_line=one.short_line,
    )


def differences(before: DraftContents, after: DraftContents) -> tuple[str, ...]:
    """Return what changed, one sentence without a full stop each; nothing if nothing did."""
    old = {one.brief_id: one for one in before.entries}
    new = {one.brief_id: one for one in after.entries}
    added = (f"“{one.title}” was added" for key, one in new.items() if key not in old)
    gone = (f"“{one.title}” was taken out" for key, one in old.items() if key not in new)
    both = [key for key in old if key in new]
    changed = (one for key in both for one in _changed(old[key], new[key]))
    moved = _moved(both, [key for key in new if key in old])
    said = (f"“{new[key].title}” moved from place {was} to {now}" for key, was, now in moved)
    return (*added, *gone, *changed, *said, *_reworded(before.wording, after.wording))


def _moved(before: list[int], after: list[int]) -> Iterator[tuple[int, int, int]]:
    """Yield what moved among the stories of both, with its places; as few as explain the order."""
    matched = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    stayed = {key for one in matched for key in before[one.a : one.a + one.size]}
    for key in after:
        if key not in stayed:
            yield key, before.index(key) + 1, after.index(key) + 1


def _changed(old: DraftEntry, new: DraftEntry) -> Iterator[str]:
    if old.revision != new.revision:
        yield f"“{new.title}” has a newer text"
    if old.topics != new.topics:
        yield f"“{new.title}” has other topics"
    if old.lead != new.lead:
        yield f"“{new.title}” {'leads now' if new.lead else 'no longer leads'}"
    if old.short_line != new.short_line:
        yield f"“{new.title}” has another short line"


def _reworded(old: Wording, new: Wording) -> Iterator[str]:
    if (old.subject, old.about) != (new.subject, new.about):
        yield "the subject changed"
    if old.preheader != new.preheader:
        yield "the preheader changed"
    if (old.note, old.note_kind) != (new.note, new.note_kind):
        yield "the editors’ note changed"
