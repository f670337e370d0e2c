"""The galley: marks read into segments, segments cut into letters."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.galley import (
    CLOSE_MARK,
    OPEN_MARK,
    PERSONAL,
    Span,
    cut,
    piece_of,
    plain_line,
    read_marked,
)
from newsletter.errors import RenderingFailed


def _piece(name: str, inner: str) -> str:
    return OPEN_MARK.format(name) + inner + CLOSE_MARK


_ONE, _TWO = _piece("brief:1", "one "), _piece("brief:2", "two ")


def test_what_stands_outside_every_piece_is_always_printed() -> None:
    segments = read_marked(f"before {_ONE}after")
    assert cut(segments, set(), {}) == "before after"
    assert cut(segments, {"brief:1"}, {}) == "before one after"


def test_a_piece_that_holds_others_is_printed_while_one_of_them_is() -> None:
    segments = read_marked(_piece("topic:chips", f"Chips: {_ONE}{_TWO}end"))
    assert cut(segments, {"brief:1"}, {}) == "Chips: one end"
    assert cut(segments, {"brief:2"}, {}) == "Chips: two end"
    assert cut(segments, {"brief:3"}, {}) == ""


def test_the_name_of_a_piece_that_holds_others_does_not_print_it() -> None:
    segments = read_marked(_piece("topic:chips", f"Chips: {_ONE}"))
    assert cut(segments, {"topic:chips"}, {}) == ""


def test_pieces_nest_to_any_depth() -> None:
    segments = read_marked(_piece("a", f"a{_piece('b', f'b{_ONE}B')}{_TWO}A"))
    assert cut(segments, {"brief:1"}, {}) == "abone BA"
    assert cut(segments, {"brief:2"}, {}) == "atwo A"


def test_one_piece_may_stand_in_many_places() -> None:
    segments = read_marked(f"{_ONE}{_TWO}| {_TWO}{_ONE}")
    assert cut(segments, {"brief:1"}, {}) == "one | one "


def test_the_personal_piece_is_chosen_like_any_other() -> None:
    segments = read_marked(_piece(PERSONAL, "for you"))
    assert cut(segments, {PERSONAL}, {}) == "for you"
    assert cut(segments, set(), {}) == ""


def test_no_segment_is_empty() -> None:
    assert read_marked(_ONE) == (Span("one ", frozenset({"brief:1"})),)
    assert read_marked("") == ()


@pytest.mark.parametrize(
    ("marked", "says"),
    [
        (OPEN_MARK.format("brief:1") + "one", "'brief:1' is never closed"),
        (OPEN_MARK.format("topic:a") + _ONE, "'topic:a' is never closed"),
        (f"x{CLOSE_MARK}", "closes at character 1 but none is open"),
        (f"{_ONE}{CLOSE_MARK}", "none is open"),
        (_piece("Not a name", "x"), "none is open"),
    ],
)
def test_marks_that_do_not_nest_are_refused(marked: str, says: str) -> None:
    with pytest.raises(RenderingFailed, match=says):
        read_marked(marked)


def test_every_tag_is_replaced_wherever_it_stands() -> None:
    segments = read_marked(f"-a- {_piece('brief:1', '-b- -a-')}")
    assert cut(segments, {"brief:1"}, {"-a-": "1", "-b-": "2"}) == "1 2 1"


def test_a_value_that_looks_like_a_tag_stays_as_it_is() -> None:
    values = {"-a-": "-b-", "-b-": r"\1-a-"}
    assert cut(read_marked("-a- -b-"), set(), values) == r"-b- \1-a-"


def test_the_piece_of_a_brief_can_be_marked() -> None:
    assert read_marked(_piece(piece_of(12), "x"))[0].pieces == {piece_of(12)}


_trees = st.recursive(
    st.tuples(st.integers(1, 5), st.text("ab ", min_size=1)),
    lambda inner: st.lists(inner, min_size=1, max_size=4),
    max_leaves=12,
)


def _marked(tree: object) -> str:
    if isinstance(tree, tuple):
        return _piece(piece_of(tree[0]), tree[1])
    assert isinstance(tree, list)
    return _piece("group", "(" + "".join(map(_marked, tree)) + ")")


def _printed(tree: object, chosen: set[int]) -> str:
    if isinstance(tree, tuple):
        return tree[1] if tree[0] in chosen else ""
    assert isinstance(tree, list)
    inner = "".join(_printed(part, chosen) for part in tree)
    return f"({inner})" if inner else ""


@given(tree=_trees, chosen=st.sets(st.integers(1, 5)))
def test_cutting_prints_what_a_plain_walk_of_the_tree_would(tree: object, chosen: set[int]) -> None:
    pieces = {piece_of(number) for number in chosen}
    assert cut(read_marked(_marked(tree)), pieces, {}) == _printed(tree, chosen)


@given(text=st.text(st.characters()) | st.text("<!-[]nl_ \u202e\ufeff\n"))
def test_a_plain_line_can_pass_for_no_mark_and_no_tag(text: str) -> None:
    line = plain_line(text)
    assert "<!--" not in line
    assert "-nl_" not in line
    assert "  " not in line
    assert line == line.strip()
    assert not re.search(r"[^\S ]|[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", line)
    assert plain_line(line) == line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("A plain, printable “line” & <b>", "A plain, printable “line” & <b>"),
        (" two\nlines\tand\x00\x85more\u2028", "two lines and more"),
        ("\u202egnp.exe\u202c", "gnp.exe"),
        ("<\ufeff!--[[brief:1-->", "<! --[[brief:1-->"),
        ("see -nl_unsubscribe_url-", "see - nl_unsubscribe_url-"),
        ("family 👨‍👩‍👧 שלום", "family 👨‍👩‍👧 שלום"),
        ("half \ud83d emoji", "half emoji"),
    ],
)
def test_a_plain_line_keeps_all_that_can_be_printed(text: str, line: str) -> None:
    assert plain_line(text) == line
