"""Left out: the accepted briefs that an issue has no room for, each with the reason."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from newsletter.core.issue import Candidate, Issue, assemble
from newsletter.core.publication import Newsletter


@dataclass(frozen=True, kw_only=True)
class BriefLeftOut:
    """An accepted brief that is not in its day's issue, though no person left it out."""

    brief_id: int
    title: str
    reason: str  #: without a full stop


def left_out(
    newsletter: Newsletter, issue: Issue, candidates: Sequence[Candidate], by_hand: Sequence[int]
) -> Iterator[BriefLeftOut]:
    """Yield each candidate that is not in the issue; `by_hand` are those a person left out."""
    inside = {entry.brief_id for entry in issue.entries}
    offered = [one for one in candidates if one[0].brief_id not in by_hand]
    chosen = assemble(newsletter, issue.date, issue.number, offered).entries
    per_topic, fits = Counter(one.section for one in chosen), {one.brief_id for one in chosen}
    caps = newsletter.caps
    for entry, _ in offered:
        if entry.brief_id in inside:
            continue
        if entry.brief_id in fits:
            reason = "it came, or was accepted, after the issue was set"
        elif per_topic[entry.section] >= caps.briefs_per_topic:
            reason = f"the issue holds at most {caps.briefs_per_topic} about {entry.section}"
        else:
            reason = f"the issue holds at most {caps.briefs} stories"
        yield BriefLeftOut(brief_id=entry.brief_id, title=entry.brief.title, reason=reason)
