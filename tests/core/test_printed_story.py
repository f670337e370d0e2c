"""A printed story by itself: its address, its texts, what became of it."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from newsletter.core.brief import Brief, Picture, Verification
from newsletter.core.issue import IssueEntry
from newsletter.core.printed_story import (
    PrintedStory,
    PrintedStoryRecord,
    Printing,
    StoryNow,
    StoryState,
    printed_story,
    story_path,
)
from tests.container import brief
from tests.settings import TECHNOLOGY

PRINTED = datetime(2026, 11, 23, 6, tzinfo=UTC)
LATER = datetime(2026, 11, 24, 6, tzinfo=UTC)
BRIEF = brief(summary="It saves half. The rest stays.", why="Water is scarce.")


def printing(of: Brief = BRIEF, *, lead: bool = False, on: datetime = PRINTED) -> Printing:
    entry = IssueEntry(brief_id=7, revision=1, brief=of, topics=("chips",), lead=lead)
    return Printing(newsletter="technology", date=on.date(), number=1, planned_at=on, entry=entry)


def story(*later: Brief, printings: tuple[Printing, ...] = (), **now: object) -> PrintedStory:
    """Return the story after each of these texts was accepted, an hour apart."""
    known = StoryNow(
        brief=later[-1] if later else BRIEF,
        accepted=True,
        held=False,
        revised_at=LATER if later else PRINTED,
        accepted_at=LATER if later else PRINTED,
        decided_at=None,
    )
    record = PrintedStoryRecord(
        printings=printings or (printing(),),
        later=tuple((one, LATER) for one in later),
        now=replace(known, **now),  # type: ignore[arg-type]  # by their names
    )
    return printed_story(TECHNOLOGY, record)


@pytest.mark.parametrize(
    ("title", "path"),
    [
        ("A foundry’s plan: half", "/technology/briefs/7-a-foundrys-plan-half"),
        ("Überprüfung à la carte", "/technology/briefs/7-uberprufung-a-la-carte"),
        ("東京の水", "/technology/briefs/7"),
        ("../..//?#%00<script>", "/technology/briefs/7-00-script"),
        ("word " * 40, f"/technology/briefs/7-{'-'.join(['word'] * 12)}"),
    ],
)
def test_an_address_is_readable_and_needs_no_encoding(title: str, path: str) -> None:
    assert story_path("technology", 7, title) == path


def test_a_story_says_what_was_printed_of_it_and_no_more() -> None:
    small = story()
    assert (small.text, small.why) == ("It saves half.", "Water is scarce.")
    assert story(printings=(printing(lead=True),)).text == "It saves half. The rest stays."


def test_where_a_digest_printed_it_in_full_it_stands_in_full_under_its_first_address() -> None:
    other = replace(BRIEF, title="Another headline of the same story")
    both = story(printings=(printing(), printing(other, lead=True, on=LATER)))
    assert both.text == "It saves half. The rest stays."
    assert both.path.endswith("7-a-foundry-halves-the-water-it-needs-for-a-wafer")


def test_each_accepted_text_corrects_the_one_before() -> None:
    once = replace(BRIEF, summary="It saves a third. The rest stays.")
    unseen = replace(once, body=("nobody sees this",))
    twice = replace(unseen, title="A foundry saves a third of its water")
    found = story(once, unseen, twice).corrections
    assert [one.text for one in found] == [
        "It saves a third.",
        "The headline is now: A foundry saves a third of its water.",
    ]
    assert {one.on for one in found} == {date(2026, 11, 24)}


def test_what_is_held_or_called_verified_by_nobody_is_withdrawn() -> None:
    doubted = replace(BRIEF, verification=Verification.UNVERIFIED)
    assert story(accepted=False, held=True).state is StoryState.WITHDRAWN
    assert story(accepted=False, brief=doubted).state is StoryState.WITHDRAWN
    assert story(accepted=False).state is StoryState.IN_REVIEW
    assert story().state is StoryState.PRINTED


def test_a_page_is_as_new_as_the_last_thing_that_became_of_its_story() -> None:
    decided = datetime(2026, 11, 25, 23, 30, tzinfo=UTC)
    held = story(accepted=False, held=True, decided_at=decided)
    assert held.changed_at == decided
    assert held.since == decided.astimezone().date() or held.since >= decided.date()
    assert story().changed_at == PRINTED


def test_a_picture_is_shown_where_it_was_printed_at_the_top() -> None:
    shown = Picture(url="https://img.example.org/a.png", alt="A hall of machines", width=800)
    pictured = replace(BRIEF, picture=shown)
    assert story(printings=(printing(pictured, lead=True),)).picture == shown
    assert story(printings=(printing(pictured),)).picture is None
    unfit = replace(BRIEF, picture=replace(shown, alt=""))
    assert story(printings=(printing(unfit, lead=True),)).picture is None
