"""An issue's own subject and preheader never promise what an edition does not hold."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.draft_changes import contents_of, differences
from newsletter.core.edition import edition_of, holds_promise
from newsletter.core.issue import Issue, assemble
from newsletter.core.issue_edits import IssueEdits
from newsletter.core.promise import promise_of
from newsletter.core.wording import NoteKind, NotePart, Wording, note_parts, wording_faults
from tests.core.test_issue import _DAY, _NEWSLETTER, _candidate

_WORDING = Wording(subject="Two boats, one harbour", preheader="And how they got there", about=2)


def _issue(wording: Wording = _WORDING, **lines: str) -> Issue:
    candidates = [_candidate(number, hours=-number) for number in (1, 2, 3)]
    short_lines = {int(name[1:]): line for name, line in lines.items()}
    edits = IssueEdits(wording=wording, short_lines=short_lines)
    return assemble(_NEWSLETTER, _DAY, 1, candidates, edits)


def test_an_edition_with_the_promised_story_has_the_issues_subject_and_preheader() -> None:
    edition = edition_of(_issue(), [1, 2])
    assert edition.subject == "Two boats, one harbour"
    assert edition.preheader == "And how they got there"


def test_an_edition_without_it_has_a_subject_of_its_own_first_story() -> None:
    edition = edition_of(_issue(), [1, 3])
    assert (edition.subject, edition.preheader) == ("Story 1", "Also: Story 3")


def test_a_short_line_is_the_subject_of_editions_that_its_story_leads() -> None:
    issue = _issue(Wording(), _1="Boats meet")
    assert edition_of(issue, [1, 2, 3]).subject == "Boats meet"
    assert edition_of(issue, [2, 3]).subject == "Story 2"


def test_without_a_preheader_the_promised_story_is_not_repeated_beside_the_subject() -> None:
    issue = _issue(replace(_WORDING, preheader=""))
    assert edition_of(issue, [1, 2, 3]).preheader == "Also: Story 1; Story 3"


def test_a_preheader_alone_leaves_the_subject_to_the_edition() -> None:
    edition = edition_of(_issue(replace(_WORDING, subject="")), [1, 2])
    assert (edition.subject, edition.preheader) == ("Story 1", "And how they got there")


@given(
    ids=st.sets(st.sampled_from([1, 2, 3]), min_size=1),
    about=st.sampled_from([None, 1, 2, 3, 9]),
)
def test_a_subject_is_never_used_where_its_story_is_missing(
    ids: set[int], about: int | None
) -> None:
    issue = _issue(replace(_WORDING, about=about))
    used = edition_of(issue, ids).subject == _WORDING.subject
    assert used == holds_promise(issue, ids) == ((about or 1) in ids)


@given(ids=st.sets(st.sampled_from([1, 2, 3]), min_size=1))
def test_wording_and_lines_change_no_edition_but_in_subject_and_preheader(ids: set[int]) -> None:
    plain, worded = edition_of(_issue(Wording()), ids), edition_of(_issue(_1="Boats"), ids)
    assert replace(worded, subject=plain.subject, preheader=plain.preheader) == plain


def test_it_is_said_how_many_editions_and_readers_get_another_subject() -> None:
    issue = _issue()
    editions = [(edition_of(issue, ids), readers) for ids, readers in (([1, 2], 40), ([3], 2))]
    promise = promise_of(issue, editions)
    assert (promise.readers, promise.fallback_readers) == (40, 2)
    assert [one.subject for one in promise.fallbacks] == ["Story 3"]
    assert promise.editions == 1


def test_an_issue_without_wording_promises_nothing() -> None:
    issue = _issue(Wording())
    assert promise_of(issue, [(edition_of(issue, [3]), 2)]).fallbacks == ()


def test_a_note_has_words_and_web_links_and_nothing_else() -> None:
    note = "See [the page](https://example.org/a?b=1) and [this](javascript:alert(1))."
    assert note_parts(note) == (
        NotePart(text="See "),
        NotePart(text="the page", url="https://example.org/a?b=1"),
        NotePart(text=" and [this](javascript:alert(1))."),
    )


def test_what_does_not_fit_or_could_be_a_tag_is_refused() -> None:
    assert list(wording_faults(Wording(subject="x" * 60, preheader="y" * 100))) == []
    faults = list(
        wording_faults(Wording(subject="x" * 61, preheader="-nl_subject-", note="z" * 201))
    )
    assert faults == [
        "The subject has 61 characters; 60 fit.",
        "The preheader would be read as a tag of the letter.",
        "The editors’ note has 201 characters; 200 fit.",
    ]
    assert list(wording_faults(Wording(note="[a](https://example.org/-nl_minutes-)"))) == [
        "A link of the editors’ note would be read as a tag of the letter."
    ]


def test_the_address_of_a_link_does_not_count_as_read() -> None:
    note = f"{'z' * 196} [it](https://example.org/{'a' * 100})"
    assert list(wording_faults(Wording(note=note))) == []


def test_two_drafts_are_compared_in_sentences() -> None:
    before = _issue(Wording())
    edits = IssueEdits(
        order=(3, 2, 1), wording=Wording(subject="S", note="N", note_kind=NoteKind.CORRECTION)
    )
    candidates = [_candidate(number, hours=-number) for number in (1, 3, 4)]
    after = assemble(_NEWSLETTER, _DAY, 1, candidates, replace(edits, short_lines={3: "Boats"}))
    assert differences(contents_of(before), contents_of(after)) == (
        "“Story 4” was added",
        "“Story 2” was taken out",
        "“Story 1” no longer leads",
        "“Story 3” leads now",
        "“Story 3” has another short line",
        "“Story 3” moved from place 2 to 1",
        "the subject changed",
        "the editors’ note changed",
    )
    assert differences(contents_of(before), contents_of(before)) == ()
