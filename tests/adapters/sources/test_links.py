"""Checking of links: HEAD, then GET; what is gone is dead, what refuses machines is not."""

from datetime import UTC, datetime

import pytest

from newsletter.adapters.sources.fetching import Fetcher, FetchLimits
from newsletter.adapters.sources.links import LinkChecker
from newsletter.core.link_check import LinkState
from tests.sources import Site

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def check(url: str, **limits):
    limits = {"allow_hosts": ("127.0.0.1",), "seconds": 5} | limits
    return LinkChecker(Fetcher(FetchLimits(**limits)))(url, NOW)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (404, LinkState.DEAD),
        (410, LinkState.DEAD),
        (403, LinkState.UNSURE),
        (429, LinkState.UNSURE),
    ],
)
def test_only_what_is_gone_is_dead(site: Site, status, state):
    found = check(site.serve("/a", status=status))
    assert (found.state, found.reason) == (state, f"it answered {status}")


def test_get_answers_where_head_is_not_known(site: Site):
    found = check(site.serve("/a", "hello"))  # this server knows no HEAD: 501
    assert (found.state, found.length) == (LinkState.FINE, 5)


def test_a_redirect_is_followed_to_where_it_ends(site: Site):
    site.serve("/end", "hello")
    site.redirect("/start", "/end")
    assert check(f"{site.url}/start").final_url == f"{site.url}/end"


def test_a_host_that_is_not_there_is_dead_and_a_private_one_is_not_asked(site: Site):
    assert check("https://no-such-host.invalid/").state is LinkState.DEAD
    refused = check(site.serve("/a", "hello"), allow_hosts=())
    assert (refused.state, site.asked) == (LinkState.UNSURE, [])
    assert check("ftp://127.0.0.1/").state is LinkState.UNSURE
