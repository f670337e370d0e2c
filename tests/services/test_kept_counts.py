"""The counts of a list are kept for some seconds; an approval counts anew."""

from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import Engine

from newsletter.errors import NotAllowed
from newsletter.services.review import Reviews
from tests.container import TODAY, TestContainer, open_container
from tests.settings import TECHNOLOGY, digests

pytestmark = pytest.mark.postgres


@pytest.fixture
def container(engine: Engine, tmp_path) -> TestContainer:
    container = open_container(engine, replace(TECHNOLOGY, approval="person"))
    container.receive("chips", "policy")
    container.subscribe(tmp_path, {"a@example.com": "chips", "b@example.com": "policy"})
    return container


def counting(container: TestContainer) -> list[str]:
    """Return a list that grows by a newsletter each time that its readers are counted."""
    counted: list[str] = []
    really = container.subscriptions.topic_set_counts

    def count(newsletter, frequency, now):
        counted.append(frequency)
        return really(newsletter, frequency, now)

    container.forecasts.subscriptions.topic_set_counts = count
    return counted


def test_an_edit_counts_nobody_and_is_in_the_forecast(container):
    counted, newsletter = counting(container), container.newsletter
    stored = container.publishing.assemble(newsletter, TODAY)
    first, second = (one.brief_id for one in stored.issue.entries)
    before = container.forecasts.of(newsletter, TODAY)
    draft = container.editing.seen(newsletter, TODAY, actor="ada", content_hash=stored.content_hash)
    container.editing.move_up(draft, second)
    after = container.forecasts.of(newsletter, TODAY)
    assert [one.brief_id for one in after.issue.entries] == [second, first]
    assert (before.readers, after.readers, counted) == (2, 2, ["daily"])
    assert before.counted_at == after.counted_at == container.clock.now()


def test_counts_are_dropped_after_some_seconds_and_when_the_clock_goes_back(container):
    counted, newsletter, since = counting(container), container.newsletter, container.clock.now()
    container.forecasts.of(newsletter, TODAY)
    container.unsubscribe("a@example.com")
    container.clock.pass_time(seconds=19)
    assert container.forecasts.of(newsletter, TODAY).readers == 2
    container.clock.pass_time(seconds=1)
    found = container.forecasts.of(newsletter, TODAY)
    assert (found.readers, found.counted_at) == (1, since + timedelta(seconds=20))
    container.clock.pass_time(seconds=-5)
    container.forecasts.of(newsletter, TODAY)
    assert len(counted) == 3


def test_a_digest_has_counts_of_its_own(container):
    counted = counting(container)
    [digest] = digests(container.newsletter)
    container.forecasts.of(container.newsletter, TODAY)
    container.forecasts.of(digest, TODAY)
    assert counted == ["daily", "weekly"]


def test_a_forecast_is_ready_when_it_takes_no_long_count(container):
    newsletter, forecasts = container.newsletter, container.forecasts
    seconds = count()
    forecasts.timer = lambda: float(next(seconds))  # each count takes a second
    assert forecasts.is_ready(newsletter)  # nobody knows yet how long it takes
    forecasts.of(newsletter, TODAY)
    assert forecasts.is_ready(newsletter)
    container.clock.pass_time(seconds=20)
    assert not forecasts.is_ready(newsletter)
    forecasts.timer = lambda: 0.0
    forecasts.of(newsletter, TODAY)
    container.clock.pass_time(minutes=5)
    assert forecasts.is_ready(newsletter)


def test_an_approval_counts_anew(container, tmp_path):
    newsletter = container.newsletter
    stored = container.publishing.assemble(newsletter, TODAY)
    assert container.preflight.report(newsletter, TODAY).looks == ()
    container.subscribe(tmp_path, {"c@example.com": "robotics"})
    assert container.preflight.report(newsletter, TODAY).looks == ()
    reviews: Reviews = container.reviews
    given = {"expecting": stored.content_hash, "seen": (), "actor": "ada"}
    with pytest.raises(NotAllowed, match="1 reader chose only topics"):
        reviews.approve(newsletter, TODAY, **given)
