"""What a source shows now says what it has taken down."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from newsletter.core.source_record import KnownItem, SourceReading, Tally, taken_down

DAY = datetime(2026, 11, 23, tzinfo=UTC)
KNOWN = [
    KnownItem(brief_id=n, key=f"t/wire/{n}", title=f"Story {n}", published=DAY + timedelta(hours=n))
    for n in (1, 2, 3)
]
BEFORE = Tally(new=1, unchanged=2)


def gone(shown: str, *, every: bool = False, before: Tally = BEFORE, items: int = 0) -> list[int]:
    """Return what is gone when the source shows these stories, at least so many items."""
    dates = [one.published for one in KNOWN if str(one.brief_id) in shown]
    reading = SourceReading(
        briefs=(),
        seen=frozenset(f"t/wire/{one}" for one in shown.split()),
        every=every,
        oldest=min((date for date in dates if date), default=None),
        items=max(items, len(shown.split())),
    )
    return [one.brief_id for one in taken_down(reading, KNOWN, before)]


def test_a_feed_with_older_items_has_taken_a_story_down() -> None:
    assert gone("1 2 3") == []
    assert gone("1 3 4", items=3) == [2]


def test_a_feed_forgets_its_oldest_item_by_itself_unless_it_became_shorter() -> None:
    assert gone("2 3 4", items=3) == []
    assert gone("2 3") == [1]


def test_a_feed_that_shows_fewer_items_has_taken_none_of_the_others_down() -> None:
    assert gone("3") == []
    assert gone("2 3", before=Tally(unchanged=20)) == []
    # one of them is gone from among those shown, and the page is shorter by that one
    assert gone("1 3", before=Tally(unchanged=3)) == [2]
    undated = [replace(one, published=None) for one in KNOWN]
    reading = SourceReading(briefs=(), seen=frozenset({"t/wire/3"}), items=5)
    assert taken_down(reading, undated, Tally(unchanged=20)) == ()


def test_an_empty_feed_says_nothing_and_an_empty_answer_about_every_post_does() -> None:
    assert gone("") == []
    assert gone("", every=True) == [1, 2, 3]


def test_a_story_under_another_ones_id_is_there_as_long_as_that_is() -> None:
    reading = SourceReading(briefs=(), seen=frozenset({"t/wire/1"}), every=True, items=1)
    marked = replace(KNOWN[0], key="t/wire/1#abc")
    assert taken_down(reading, [marked], BEFORE) == ()
