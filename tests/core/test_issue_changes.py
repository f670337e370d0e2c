"""What differs between two states of an issue, in sentences and word by word."""

from dataclasses import replace
from datetime import date

from newsletter.core.difference import Difference, DifferenceKind
from newsletter.core.issue import Issue, IssueEntry
from newsletter.core.issue_changes import issue_changes
from newsletter.core.wording import Wording
from tests.container import brief

_TOPICS = ("chips", "security", "policy", "software")
_ISSUE = Issue(
    newsletter="technology",
    date=date(2026, 11, 23),
    number=1,
    wording=Wording(subject="Water for wafers"),
    entries=tuple(
        IssueEntry(brief_id=number, revision=1, brief=brief(topic), topics=(topic,))
        for number, topic in enumerate(_TOPICS, start=1)
    ),
)


def test_the_same_issue_differs_in_nothing() -> None:
    assert not issue_changes(_ISSUE, _ISSUE)


def test_a_moved_story_is_named_with_its_places_and_the_others_are_not() -> None:
    first, *others = _ISSUE.entries
    found = issue_changes(_ISSUE, replace(_ISSUE, entries=(*others, first)))
    assert found.sentences == (f"“{first.brief.title}” moved from place 1 to 4",)
    assert found.fields == ()


def test_changed_words_are_shown_word_by_word() -> None:
    first, *others = _ISSUE.entries
    revised = replace(first, revision=2, brief=replace(first.brief, why="It saves a river."))
    after = replace(
        _ISSUE, entries=(revised, *others), wording=Wording(subject="Water for chips", note="New")
    )
    found = issue_changes(_ISSUE, after)
    assert found.sentences == (
        f"“{first.brief.title}” has a newer text",
        "the subject changed",
        "the editors’ note changed",
    )
    subject, note, why = found.fields
    assert (subject.name, note.name, why.name) == ("subject", "note", "why")
    assert subject.pieces == (
        Difference(DifferenceKind.SAME, "Water for "),
        Difference(DifferenceKind.REMOVED, "wafers"),
        Difference(DifferenceKind.ADDED, "chips"),
    )
    assert (why.story, [one.text for one in why.pieces]) == (
        first.brief.title,
        ["It saves a river."],
    )
