"""Moments of lists: the plainest form, of which there may be a million, is read as all others."""

from datetime import UTC, datetime

import pytest

from subscribers.lists.moments import Moments, UnreadableMoment


@pytest.mark.parametrize(
    "text",
    ["2026-05-01 11:02:03", "2026-05-01T11:02:03+02:00", "2026-05-01", "13/5/2026", "1777633323"],
)
def test_a_moment_is_written_as_it_was_read(text: str) -> None:
    assert datetime.fromisoformat(Moments().read_iso(text)) == Moments().read(text)


@pytest.mark.parametrize("text", ["2026-02-30 11:02:03", "2026-05-01 25:02:03"])
def test_what_only_looks_like_a_plain_moment_is_none(text: str) -> None:
    with pytest.raises(UnreadableMoment, match="not a date"):
        Moments().read_iso(text)


def test_the_pattern_of_an_operator_says_what_a_plain_moment_means() -> None:
    found = Moments("%Y-%d-%m %H:%M:%S").read_iso("2026-05-01 11:02:03")
    assert datetime.fromisoformat(found) == datetime(2026, 1, 5, 11, 2, 3, tzinfo=UTC)
