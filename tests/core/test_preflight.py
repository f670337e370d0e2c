"""What the checks before sending make of an issue's words."""

from dataclasses import replace
from datetime import UTC, datetime

from newsletter.core.edition import Letter
from newsletter.core.forecast import forecast
from newsletter.core.issue import sample_issue
from newsletter.core.preflight import PreflightContext, unusual_words, words_of
from newsletter.core.preflight_stops import stops
from newsletter.core.wording import Wording
from subscribers.model import TopicSet, TopicSetCount
from tests.settings import TECHNOLOGY

ISSUE = sample_issue(TECHNOLOGY)
SAID = {
    word.casefold()
    for one in ISSUE.entries
    for word in words_of(f"{one.brief.title} {one.brief.summary} {one.brief.why}")
}


def test_a_word_never_printed_before_is_named_where_most_are_known():
    new = min(SAID)
    assert [one.casefold() for one in unusual_words(ISSUE, SAID - {new})] == [new]


def test_new_words_say_nothing_while_most_are_new():
    assert unusual_words(ISSUE, {min(SAID)}) == ()


def test_a_tag_left_over_in_the_subject_of_thousands_is_one_finding():
    first, *others = TECHNOLOGY.topic_slugs
    issue = replace(ISSUE, wording=Wording(subject="About {{ title }}"))
    counts = [
        TopicSetCount(topics=TopicSet.of([first, one]), exclusion=None, people=1) for one in others
    ]
    made = forecast(issue, counts, datetime(2026, 11, 23, tzinfo=UTC))
    whole = Letter(subject="", html="", text="")
    context = PreflightContext(newsletter=TECHNOLOGY, issue=issue, forecast=made, whole=whole)
    assert len({one.key for one in context.editions}) > 1
    found = [one for one in stops(context) if one.key.startswith("tag")]
    assert [one.place for one in found] == [f"subject of edition {context.editions[0].key}"]
