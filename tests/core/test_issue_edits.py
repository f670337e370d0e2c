"""Edits of an issue: whatever a person does, an assembly stays within its rules."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.issue import Candidate, assemble
from newsletter.core.issue_edits import (
    IssueEdits,
    moved,
    placed,
    with_again,
    with_short_line,
    without,
)
from newsletter.core.wording import Wording
from tests.core.test_issue import _DAY, _NEWSLETTER, _candidate, _candidates

_NUMBERS = st.integers(1, 30)
_EDITS = st.builds(
    IssueEdits,
    order=st.lists(_NUMBERS, max_size=12).map(tuple),
    pinned=st.none() | _NUMBERS,
    left_out=st.lists(_NUMBERS, max_size=6).map(tuple),
    short_lines=st.dictionaries(_NUMBERS, st.text(max_size=5), max_size=5),
)


def _ids(candidates: list[Candidate], edits: IssueEdits) -> list[int]:
    return [one.brief_id for one in assemble(_NEWSLETTER, _DAY, 1, candidates, edits).entries]


@given(candidates=_candidates, edits=_EDITS)
def test_edits_respect_every_cap_and_repeat_nothing(
    candidates: list[Candidate], edits: IssueEdits
) -> None:
    entries = assemble(_NEWSLETTER, _DAY, 1, candidates, edits).entries
    sections = [entry.section for entry in entries]
    assert len(entries) <= _NEWSLETTER.caps.briefs
    assert max(map(sections.count, sections), default=0) <= _NEWSLETTER.caps.briefs_per_topic
    assert len({entry.brief.key for entry in entries}) == len(entries)


@given(candidates=_candidates, edits=_EDITS)
def test_order_alone_prints_the_same_briefs_each_once(
    candidates: list[Candidate], edits: IssueEdits
) -> None:
    plain = _ids(candidates, IssueEdits())
    ordered = _ids(candidates, IssueEdits(order=edits.order))
    assert sorted(ordered) == sorted(plain)
    known = [one for one in dict.fromkeys(edits.order) if one in plain]
    assert [one for one in ordered if one in known] == known


@given(candidates=_candidates, edits=_EDITS)
def test_what_is_left_out_is_gone_and_what_is_pinned_leads(
    candidates: list[Candidate], edits: IssueEdits
) -> None:
    entries = assemble(_NEWSLETTER, _DAY, 1, candidates, edits).entries
    printed = [entry.brief_id for entry in entries]
    offered = {entry.brief_id for entry, _ in candidates} - set(edits.left_out)
    assert set(edits.left_out).isdisjoint(printed)
    if edits.pinned in offered:
        assert printed[0] == edits.pinned
        assert entries[0].lead
    assert [e.short_line for e in entries] == [edits.short_lines.get(n, "") for n in printed]


@given(candidates=_candidates)
def test_no_edits_change_nothing(candidates: list[Candidate]) -> None:
    plain = assemble(_NEWSLETTER, _DAY, 1, candidates)
    assert assemble(_NEWSLETTER, _DAY, 1, candidates, IssueEdits()) == plain
    edits = IssueEdits(order=tuple(entry.brief_id for entry in plain.entries))
    assert assemble(_NEWSLETTER, _DAY, 1, candidates, edits) == plain


@given(candidates=_candidates, edits=_EDITS)
def test_edits_survive_an_assembly_with_the_same_briefs(
    candidates: list[Candidate], edits: IssueEdits
) -> None:
    first = _ids(candidates, edits)
    assert _ids(candidates, replace(edits, order=tuple(first))) == first


def test_a_brief_that_comes_later_stands_behind_the_one_it_was_assembled_behind() -> None:
    edits = IssueEdits(order=(3, 1, 2))
    assert placed((1, 9, 2, 3), edits) == (3, 1, 9, 2)
    assert placed((9, 1, 2, 3), edits) == (9, 3, 1, 2)
    assert placed((1, 2), edits) == (1, 2)


def test_what_is_left_out_leaves_its_place_to_the_next() -> None:
    five = [_candidate(number, hours=-number) for number in range(1, 6)]
    assert _ids(five, IssueEdits()) == [1, 2, 3, 4]
    assert _ids(five, without(IssueEdits(), 2)) == [1, 3, 4, 5]


def test_a_pinned_brief_has_a_place_though_weightier_ones_fill_the_issue() -> None:
    five = [_candidate(number, hours=-number) for number in range(1, 6)]
    assert _ids(five, IssueEdits(pinned=5)) == [5, 1, 2, 3]


def test_a_brief_is_moved_before_another_or_to_the_end() -> None:
    assert moved((1, 2, 3), 3, 1) == (3, 1, 2)
    assert moved((1, 2, 3), 1, 3) == (2, 1, 3)
    assert moved((1, 2, 3), 1, None) == (2, 3, 1)


def test_leaving_out_what_was_pinned_unpins_it_and_taking_in_undoes_leaving_out() -> None:
    out = without(IssueEdits(pinned=4, left_out=(2,)), 4)
    assert out == IssueEdits(left_out=(2, 4))
    assert with_again(out, 2) == IssueEdits(left_out=(4,))


def test_a_short_line_is_replaced_and_an_empty_one_removed() -> None:
    edits = with_short_line(with_short_line(IssueEdits(), 1, "One"), 1, "Two")
    assert edits.short_lines == {1: "Two"}
    assert with_short_line(edits, 1, "") == IssueEdits()


def test_the_wording_becomes_the_issues() -> None:
    wording = Wording(subject="A subject", about=1)
    issue = assemble(_NEWSLETTER, _DAY, 1, [_candidate(1)], IssueEdits(wording=wording))
    assert issue.wording == wording
