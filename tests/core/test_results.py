"""Results: each delivery has the same words, in whatever order its events came."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.events import EventKind
from newsletter.core.result_tables import figure_rows, story_rows, topic_rows, trend_rows
from newsletter.core.results import (
    MASKS,
    REPORTED,
    IssueResults,
    ResultLine,
    ResultWord,
    StoryResult,
    moved,
    stories_behind,
    words_of,
)

KINDS = st.sets(st.sampled_from(list(REPORTED)))
LEFT_AT = datetime(2026, 11, 26, 11, tzinfo=UTC)


def bits(*kinds: EventKind) -> int:
    return sum(REPORTED[kind] for kind in kinds)


@given(KINDS, KINDS)
def test_what_moves_is_the_difference_of_the_words(first, second) -> None:
    before, after = bits(*first), bits(*first) | bits(*second)
    counts = {word: int(word in words_of(before)) for word in ResultWord}
    for word, change in moved(before, after).items():
        counts[word] += change
    assert {word for word, count in counts.items() if count} == words_of(after)


@given(KINDS)
def test_a_letter_arrived_or_came_back_once_and_nobody_opens_what_did_not_arrive(kinds) -> None:
    words = words_of(bits(*kinds))
    ends = {ResultWord.ARRIVED, ResultWord.BOUNCED, ResultWord.BLOCKED, ResultWord.DROPPED}
    assert len(words & ends) == (1 if kinds else 0)
    if words - ends:
        assert ResultWord.ARRIVED in words
    assert not {ResultWord.OPENED, ResultWord.OPENED_BY_MACHINE} <= words
    assert not {ResultWord.CLICKED, ResultWord.CLICKED_BY_MACHINE} <= words


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        ((EventKind.DELIVERED,), {"arrived"}),
        ((EventKind.DELIVERED, EventKind.BOUNCED), {"bounced"}),
        ((EventKind.BLOCKED, EventKind.SOFT_BOUNCED), {"bounced"}),
        ((EventKind.OPENED_BY_MACHINE,), {"arrived", "opened_by_machine"}),
        ((EventKind.OPENED_BY_MACHINE, EventKind.CLICKED), {"arrived", "opened", "clicked"}),
        ((EventKind.CLICKED_BY_MACHINE,), {"arrived", "clicked_by_machine"}),
        ((EventKind.COMPLAINED,), {"arrived", "complained"}),
    ],
)
def test_a_persons_act_outweighs_a_machines(kinds, words) -> None:
    assert words_of(bits(*kinds)) == words


@given(KINDS)
def test_a_statement_finds_the_deliveries_that_a_word_is_for(kinds) -> None:
    reported = bits(*kinds)
    for word, (some, none) in MASKS.items():
        assert bool(reported & some and not reported & none) == (word in words_of(reported))


def test_a_link_belongs_to_the_stories_whose_source_it_is() -> None:
    sources = {1: "https://example.org/a", 2: "https://example.org/b ü", 3: "", 4: "ftp://x"}
    assert stories_behind("https://example.org/a?utm_source=nl#top", sources) == (1,)
    assert stories_behind("https://example.org/b%20%C3%BC", sources) == (2,)
    assert stories_behind("https://example.org/c", sources) == ()
    assert stories_behind("", sources) == ()


def story(brief_id: int, sent: int, people: int, *topics: str, title: str = "A") -> StoryResult:
    return StoryResult(
        brief_id=brief_id, title=title, topics=topics, sent=sent, people=people, machines=1
    )


def results(*stories: StoryResult, **words: int) -> IssueResults:
    return IssueResults(
        date=date(2026, 11, 26),
        accepted=100,
        words={ResultWord(word): count for word, count in words.items()},
        left=3,
        stories=stories,
        planned_at=LEFT_AT,
        last_event=None,
    )


def test_the_truth_lies_between_people_and_people_with_machines() -> None:
    found = results(arrived=80, bounced=5, opened=20, opened_by_machine=30, clicked=4)
    assert (found.opened.people, found.opened.most) == (20, 50)
    assert (found.clicked.people, found.clicked.most) == (4, 4)
    assert found.share(found.opened.people) == 0.25
    assert (found.came_back, found.no_answer) == (5, 15)
    assert results().share(0) is None


def test_stories_and_topics_are_compared_by_the_share_of_those_who_were_sent_them() -> None:
    few, many = story(1, 10, 5, "chips"), story(2, 90, 9, "policy", "chips")
    topics = results(many, few).topics
    assert (few.share, many.share) == (0.5, 0.1)
    assert [(one.topic, one.sent, one.people) for one in topics] == [
        ("chips", 100, 14),
        ("policy", 90, 9),
    ]
    assert story(3, 0, 0).share is None


def test_results_still_come_in_for_three_days() -> None:
    assert results().still_coming_in(LEFT_AT + timedelta(hours=71))
    assert not results().still_coming_in(LEFT_AT + timedelta(hours=72))


def test_tables_are_rows_of_text_in_which_no_cell_is_a_formula() -> None:
    found = results(story(1, 10, 5, "chips", title="=1+1"), story(2, 0, 0, title="'@x"), arrived=8)
    head, *rows = story_rows(found)
    assert head == ("story", "topics", "sent", "people", "machines_alone", "share_of_sent")
    assert rows == [("'=1+1", "chips", "10", "5", "1", "0.5000"), ("''@x", "", "0", "0", "1", "")]
    assert list(topic_rows(found))[1] == ("chips", "1", "10", "5", "1", "0.5000")
    assert ("arrived", "8", "1.0000") in list(figure_rows(found))
    line = ResultLine(date=date(2026, 11, 26), accepted=9, words={ResultWord.ARRIVED: 8})
    assert (line.weekday, line.share(ResultWord.OPENED)) == (3, 0.0)
    assert list(trend_rows([line]))[1][:4] == ("2026-11-26", "Thursday", "9", "8")
