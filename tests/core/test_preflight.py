"""What the checks before sending make of an issue's words."""

from newsletter.core.issue import sample_issue
from newsletter.core.preflight import unusual_words, words_of
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
