"""Issue: a numbered, dated choice of accepted briefs, in order."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property

from newsletter.core.brief import Brief, Source, Verification
from newsletter.core.issue_edits import IssueEdits, placed
from newsletter.core.publication import Newsletter, Order
from newsletter.core.story_size import StorySize, printed_words, size_of
from newsletter.core.wording import NO_WORDING, Wording


@dataclass(frozen=True, kw_only=True)
class IssueEntry:
    """A brief in its place within an issue."""

    brief_id: int
    revision: int
    brief: Brief
    topics: tuple[str, ...]  #: as the gate found them, at least one; the first is its section
    lead: bool = False  #: printed at the top, in full
    short_line: str = ""  #: the subject of editions that it leads; empty: its own, or its title

    @property
    def section(self) -> str:
        """Return the slug of the topic section it stands in when it does not lead."""
        return self.topics[0]

    @property
    def size(self) -> StorySize:
        return size_of(self.brief, lead=self.lead)

    @cached_property
    def words(self) -> int:
        """Count the words a letter prints of it."""
        return printed_words(self.brief, self.size)

    @property
    def inbox_words(self) -> str:
        """Return what an inbox shows of it: its short line, or its title."""
        return self.short_line or self.brief.short or self.brief.title


#: An accepted brief that has not been printed yet, and when it was received.
Candidate = tuple[IssueEntry, datetime]

_NO_EDITS = IssueEdits()


@dataclass(frozen=True, kw_only=True)
class Issue:
    """One newsletter's choice for one date."""

    newsletter: str
    date: date
    number: int
    entries: tuple[IssueEntry, ...]
    wording: Wording = NO_WORDING

    def only(self, brief_ids: Iterable[int]) -> "Issue":
        """Return this issue as if just these briefs had been chosen, each in its old place."""
        chosen = frozenset(brief_ids)
        return replace(self, entries=tuple(e for e in self.entries if e.brief_id in chosen))


def assemble(
    newsletter: Newsletter,
    on: date,
    number: int,
    candidates: Iterable[Candidate],
    edits: IssueEdits = _NO_EDITS,
) -> Issue:
    """Choose and order the day's briefs; an issue without entries has nothing to say.

    What a person left out makes room for the next, and what a person pinned has its place first.
    """
    offered = [one for one in candidates if one[0].brief_id not in edits.left_out]
    ordered = sorted(_ordered(newsletter, offered), key=lambda one: one.brief_id != edits.pinned)
    chosen = tuple(_within_caps(newsletter, ordered))
    issue = Issue(newsletter=newsletter.slug, date=on, number=number, entries=chosen)
    return arranged(issue, edits, leads=newsletter.caps.leads)


def arranged(issue: Issue, edits: IssueEdits, *, leads: int) -> Issue:
    """Return the issue as a person arranged it; the first ones lead, and the pinned one does."""
    entries = {e.brief_id: e for e in issue.entries if e.brief_id not in edits.left_out}
    return replace(
        issue,
        wording=edits.wording,
        entries=tuple(
            replace(
                entries[one],
                lead=place < leads or one == edits.pinned,
                short_line=edits.short_lines.get(one, ""),
            )
            for place, one in enumerate(placed(tuple(entries), edits))
        ),
    )


def sample_issue(newsletter: Newsletter) -> Issue:
    """Return an issue of placeholder briefs, one on every topic: enough to try the templates."""
    entries = (
        IssueEntry(
            brief_id=number,
            revision=1,
            brief=Brief(
                key=topic.slug,
                title=f"A headline about {topic.title}",
                pillar=newsletter.pillar,
                summary=topic.blurb,
                why="It shows whether the templates work.",
                source=Source(name="Example Wire", url="https://example.com/"),
                verification=Verification.PARTIAL,
                minutes=2,
            ),
            topics=(topic.slug,),
        )
        for number, topic in enumerate(newsletter.topics, start=1)
    )
    candidates = ((entry, datetime(2026, 1, 1, tzinfo=UTC)) for entry in entries)
    return assemble(newsletter, date(2026, 1, 1), 1, candidates)


def _ordered(newsletter: Newsletter, candidates: Iterable[Candidate]) -> list[IssueEntry]:
    def weight(candidate: Candidate) -> tuple[bool, int, float, int]:
        one, received = candidate
        newest = -(one.brief.published or received).timestamp()
        by_importance = newsletter.order is Order.IMPORTANCE
        rank = -one.brief.importance.rank if by_importance else 0
        return (one.brief.undated, rank, newest, one.brief_id)

    return [one for one, _ in sorted(candidates, key=weight)]


def _within_caps(newsletter: Newsletter, ordered: Iterable[IssueEntry]) -> Iterator[IssueEntry]:
    printed: set[str] = set()
    per_topic: Counter[str] = Counter()
    for one in ordered:
        if len(printed) == newsletter.caps.briefs:
            return
        if one.brief.key in printed or per_topic[one.section] == newsletter.caps.briefs_per_topic:
            continue
        printed.add(one.brief.key)
        per_topic[one.section] += 1
        yield one
