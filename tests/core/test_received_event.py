"""Links of ours are not shown to programs: some of them open a reader's page."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from newsletter.core.received_event import BEGINNING, EventPosition, first_position, link_to_show

OURS = frozenset({"news.example.com"})


@pytest.mark.parametrize(
    "url",
    [
        "https://news.example.com/preferences/abc",
        "HTTPS://News.Example.com:443/unsubscribe/abc",
        "https://news.example.com./unsubscribe/abc",
        "https://ann@news.example.com/",
        "mailto:unsubscribe+token@example.com",
        "https://[broken",
        None,
    ],
)
def test_a_link_of_ours_is_not_shown(url: str | None):
    assert link_to_show(url, OURS) is None


def test_any_other_link_is_shown():
    for url in ("https://example.com/story", "http://news.example.com.evil.example/"):
        assert link_to_show(url, OURS) == url


def test_nothing_before_an_issue_was_planned_is_looked_through():
    planned = datetime(2026, 11, 27, 5, tzinfo=UTC)
    hour = timedelta(hours=1)
    assert first_position(BEGINNING, planned).received_at == planned - hour
    late = EventPosition(planned + hour, 7, UUID(int=1))
    assert first_position(late, planned) == late
