"""What a file may say of a source, and what is kept of what it answers."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.source import FieldDefaults, FieldMap, source_faults
from newsletter.core.source_record import (
    Answer,
    RefusedItem,
    SourceReading,
    SourceRecord,
    SourceState,
    Tally,
    Unmodified,
    Unreadable,
    Validators,
    health_of,
    is_due,
    recorded,
)
from tests.settings import TECHNOLOGY
from tests.sources import NOW, feed, wordpress

URL = "https://wire.example.org/feed"
DOWN_AFTER = timedelta(hours=6)
READING = SourceReading(
    briefs=(),
    refused=(RefusedItem(item="item 2", reason="title is missing"),),
    validators=Validators(basis="b", etag='"1"'),
)
answers = st.sampled_from([READING, Unmodified(), Unreadable("it answered 500")])


def faults(*sources: Any) -> dict[str, str]:
    return dict(source_faults(sources, ("chips", "policy")))


def test_a_sound_source_has_no_faults() -> None:
    assert faults(feed(URL), wordpress("http://hub.example.com", categories=(1,))) == {}


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"slug": "The Hub"}, "slug", "small letters"),
        ({"url": "wire.example.org"}, "url", "begins with http"),
        ({"url": "file:///etc/passwd"}, "url", "begins with http"),
        ({"url": "https://user:sesame@wire.example.org"}, "url", "user name or password"),
        ({"url": "https://user@wire.example.org"}, "url", "user name or password"),
        ({"poll_minutes": 0}, "poll_minutes", "between 1 and 1440"),
        ({"poll_minutes": 1441}, "poll_minutes", "between 1 and 1440"),
        ({"categories": (3,)}, "categories", "only WordPress"),
        ({"fields": FieldMap(why="acf..why")}, "fields.why", "'acf..why'"),
        ({"defaults": FieldDefaults(minutes=-1)}, "defaults.minutes", "negative"),
        ({"defaults": FieldDefaults(topics=("cars",))}, "defaults.topics", "'cars'"),
        ({"topics": {"auto": "cars"}}, "topics", "'cars'"),
    ],
)
def test_a_fault_is_named_with_its_key(changes: dict[str, Any], key: str, words: str) -> None:
    found = faults(feed(URL), replace(feed(URL), **{"slug": "second"} | changes))
    assert list(found) == [f"sources.1.{key}"]
    assert words in found[f"sources.1.{key}"]
    assert "sesame" not in str(found)


def test_two_sources_do_not_share_a_slug() -> None:
    assert faults(feed(URL), feed(f"{URL}2")) == {"sources.1.slug": "'wire' is another source's"}


def test_an_address_is_shown_without_its_query() -> None:
    assert feed(f"{URL}?token=sesame#top").shown_url == URL


def after(*given: Answer) -> SourceRecord:
    """Return the record after these answers, an hour apart; the last came at NOW."""
    record = SourceRecord()
    for ago, answer in zip(range(len(given) - 1, -1, -1), given, strict=True):
        record = recorded(record, answer, Tally(new=1), NOW - timedelta(hours=ago))
    return record


@given(st.lists(answers))
def test_the_failures_are_those_since_it_last_answered(given: list[Answer]) -> None:
    record = after(*given)
    failing = 0
    for answer in reversed(given):
        if not isinstance(answer, Unreadable):
            break
        failing += 1
    assert record.failures == failing
    assert bool(record.failing_since) == bool(record.error) == bool(failing)
    if failing:
        assert record.failing_since == NOW - timedelta(hours=failing - 1)


@given(st.lists(answers))
def test_what_was_last_read_is_kept_until_something_else_is_read(given: list[Answer]) -> None:
    record = after(*given)
    assert (record.refused == READING.refused) == (READING in given)
    assert (record.validators == READING.validators) == (READING in given)
    assert (record.tally == Tally(new=1)) == (READING in given)


@pytest.mark.parametrize(
    ("record", "state"),
    [
        (SourceRecord(), SourceState.UNPOLLED),
        (after(Unmodified()), SourceState.UP),
        (after(READING, Unreadable("500")), SourceState.FAILING),
        (after(*[Unreadable("500")] * 6), SourceState.FAILING),
        (after(*[Unreadable("500")] * 7), SourceState.DOWN),
        (after(*[Unreadable("500")] * 7, Unmodified()), SourceState.UP),
    ],
)
def test_a_source_is_down_once_it_has_failed_for_six_hours(
    record: SourceRecord, state: SourceState
) -> None:
    health = health_of(record, NOW, DOWN_AFTER)
    assert health.state is state
    assert (health.failures, health.error) == (record.failures, record.error)


def test_a_source_is_due_when_its_minutes_have_passed() -> None:
    source = feed(URL, poll_minutes=15)
    assert is_due(source, SourceRecord(), NOW)
    for answer in (READING, Unmodified(), Unreadable("500")):
        assert not is_due(source, after(answer), NOW + timedelta(minutes=14, seconds=59))
        assert is_due(source, after(answer), NOW + timedelta(minutes=15))


def test_a_newsletter_with_sources_has_a_hash() -> None:
    source = feed(URL, topics={"Chips": "chips"})
    newsletter = replace(TECHNOLOGY, sources=(source,))
    assert {newsletter: "a key"}[replace(TECHNOLOGY, sources=(source,))] == "a key"
