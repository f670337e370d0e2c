"""A word diff gives back both texts, and marks no more than what changed."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.brief import Brief, Source
from newsletter.core.word_diff import DiffPiece, WordChange, brief_diff, word_diff

_TEXT = st.lists(st.sampled_from(["a", "b", "c", " ", "  ", "\n"]), max_size=12).map("".join)


@given(before=_TEXT, after=_TEXT)
def test_the_pieces_hold_both_texts(before: str, after: str) -> None:
    pieces = word_diff(before, after)
    assert "".join(p.text for p in pieces if p.change is not WordChange.ADDED) == before
    assert "".join(p.text for p in pieces if p.change is not WordChange.REMOVED) == after


@given(text=_TEXT)
def test_equal_texts_have_no_changes(text: str) -> None:
    assert all(piece.change is WordChange.SAME for piece in word_diff(text, text))


def test_a_word_is_replaced_where_it_stands() -> None:
    assert word_diff("the old mill burns", "the new mill burns") == (
        DiffPiece(WordChange.SAME, "the"),
        DiffPiece(WordChange.REMOVED, " old"),
        DiffPiece(WordChange.ADDED, " new"),
        DiffPiece(WordChange.SAME, " mill burns"),
    )


def test_only_the_fields_that_differ_are_shown() -> None:
    before = Brief(key="k", title="A mill", pillar="P", summary="It burns", minutes=2)
    after = replace(before, source=Source(name="Wire"), minutes=0)
    assert brief_diff(before, after) == {
        "source name": (DiffPiece(WordChange.ADDED, "Wire"),),
        "minutes": (DiffPiece(WordChange.REMOVED, "2"),),
    }
