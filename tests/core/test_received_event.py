"""Links of ours are not shown to programs: some of them open a reader's page."""

import pytest

from newsletter.core.received_event import link_to_show

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
