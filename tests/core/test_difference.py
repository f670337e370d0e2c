"""Differences between two texts, and what an inbox shows."""

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.difference import Difference, DifferenceKind, differences
from newsletter.core.inbox_line import InboxLine

TEXTS = st.text(alphabet="ab c\n", max_size=40)


def test_a_changed_word_is_one_difference():
    assert differences("The foundry\nhalves water\n", "The foundry\nsaves water\n") == (
        Difference(DifferenceKind.SAME, "The foundry\n"),
        Difference(DifferenceKind.REMOVED, "halves "),
        Difference(DifferenceKind.ADDED, "saves "),
        Difference(DifferenceKind.SAME, "water\n"),
    )


@given(TEXTS, TEXTS)
def test_the_pieces_hold_both_texts(before, after):
    found = differences(before, after)
    removed, added = DifferenceKind.REMOVED, DifferenceKind.ADDED
    assert "".join(one.text for one in found if one.kind is not added) == before
    assert "".join(one.text for one in found if one.kind is not removed) == after


def test_an_inbox_cuts_a_subject_at_its_width():
    line = InboxLine(sender="Technology Daily", subject="A" * 50, preheader="Also: more")
    assert line.cuts == {33: "A" * 32 + "…", 41: "A" * 40 + "…", 60: "A" * 50, 70: "A" * 50}
