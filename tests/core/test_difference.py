"""Differences between two texts, and what an inbox shows."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.brief import Brief, Source
from newsletter.core.difference import (
    Difference,
    DifferenceKind,
    brief_differences,
    differences,
)
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


@given(TEXTS)
def test_equal_texts_have_no_changes(text):
    assert all(one.kind is DifferenceKind.SAME for one in differences(text, text))


def test_of_a_brief_only_the_fields_that_differ_are_shown():
    before = Brief(key="k", title="A mill", pillar="P", summary="It burns", minutes=2)
    after = replace(before, source=Source(name="Wire"), minutes=0)
    assert brief_differences(before, after) == {
        "source name": (Difference(DifferenceKind.ADDED, "Wire"),),
        "minutes": (Difference(DifferenceKind.REMOVED, "2"),),
    }


def test_an_inbox_cuts_a_subject_at_its_width():
    line = InboxLine(sender="Technology Daily", subject="A" * 50, preheader="Also: more")
    assert line.cuts == {33: "A" * 32 + "…", 41: "A" * 40 + "…", 60: "A" * 50, 70: "A" * 50}
