"""One person's history: what is recorded of them and what was sent to them, in one order."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from newsletter.core.issue_totals import lacks_answer
from newsletter.core.letter_release import ReleasedIssues

#: What readers do themselves; mail servers report the other events.
_READERS_OWN = frozenset({"opened", "clicked", "complained", "unsubscribed", "resubscribed"})


@dataclass(frozen=True, kw_only=True)
class IssueRecord:
    """What became of one issue for one person."""

    newsletter: str
    planned_at: datetime
    date: date
    exclusion: str | None = None
    skipped: str | None = None
    refused: str | None = None
    attempts: tuple[dict[str, Any], ...] = ()  #: the requests that held their letter, in order
    events: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True)
class TransactionalRecord:
    """A letter to this person alone."""

    newsletter: str
    kind: str
    at: datetime
    state: str
    reason: str | None


@dataclass(frozen=True)
class HistoryLine:
    """One line of a history."""

    at: datetime
    who: str
    what: str
    about: str  #: a newsletter, or an issue of it
    detail: str


def timeline(*parts: Iterable[HistoryLine]) -> tuple[HistoryLine, ...]:
    """Return all lines in order; what happened at one moment stays in the order given."""
    return tuple(sorted((line for part in parts for line in part), key=lambda line: line.at))


def issue_lines(issue: IssueRecord) -> Iterator[HistoryLine]:
    """Yield what became of an issue: planned or excluded, sent, and the events received."""
    about = f"{issue.newsletter} {issue.date}"
    if issue.exclusion:
        yield HistoryLine(issue.planned_at, "service", "not sent", about, _worded(issue.exclusion))
        return
    yield HistoryLine(issue.planned_at, "service", "planned", about, _closed(issue))
    for one in issue.attempts:
        said = one["reason"] or ""
        answer = f"sent: {one['outcome'] or 'no answer yet'}"
        yield HistoryLine(one["started_at"], "service", answer, about, said)
    for event in issue.events:
        who = "reader" if event["kind"] in _READERS_OWN else "SendGrid"
        said = event["reason"] or event["response"] or ""
        yield HistoryLine(event["at"], who, _worded(event["kind"]), about, said)


def released_line(issues: ReleasedIssues) -> HistoryLine:
    """Return the line about issues whose letters were let go."""
    return HistoryLine(issues.at, "service", "letters let go", issues.newsletter, issues.sentence)


def transactional_line(letter: TransactionalRecord) -> HistoryLine:
    what = f"letter “{_worded(letter.kind)}”"
    said = ": ".join(filter(None, [letter.state, letter.reason]))
    return HistoryLine(letter.at, "service", what, letter.newsletter, said)


def as_data(issue: IssueRecord) -> dict[str, Any]:
    """Return an issue's record for the person themselves."""
    events = [{"at": one["at"].isoformat(), "what": one["kind"]} for one in issue.events]
    sent = [one["started_at"].isoformat() for one in issue.attempts]
    why = issue.exclusion or issue.skipped or issue.refused
    return {
        "newsletter": issue.newsletter,
        "date": issue.date.isoformat(),
        "sent_at": sent,
        "not_sent_because": why,
        "events": events,
    }


def _closed(issue: IssueRecord) -> str:
    if issue.skipped and lacks_answer(issue.attempts):
        return f"an answer was lost, and it was not requested again: {_worded(issue.skipped)}"
    if issue.skipped:
        return f"skipped at the last moment: {_worded(issue.skipped)}"
    return f"SendGrid refused this recipient: {issue.refused}" if issue.refused else ""


def _worded(word: str) -> str:
    return word.replace("_", " ")
