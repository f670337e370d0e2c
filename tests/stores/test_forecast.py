"""The forecast, held against what a plan made at the same moment stores."""

from collections import Counter
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine

from newsletter.core.forecast import Forecast, forecast
from newsletter.core.stored import IssueStatus
from subscribers.model import Exclusion, SubscriptionStatus, TopicSet, TopicSetCount
from tests.container import TODAY, open_container
from tests.settings import TECHNOLOGY, digests
from tests.stores.test_plan import PRINTED, TOPICS, _forget_everything, _make_so

pytestmark = pytest.mark.postgres

READERS = st.lists(
    st.tuples(
        TOPICS,
        st.sampled_from(SubscriptionStatus),
        st.booleans(),
        st.sampled_from(["", "", "paused", "pause over", "weekly", "pending", "undone"]),
    ),
    max_size=24,
)
_serial = count()


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(printed=PRINTED, readers=READERS, frozen=st.booleans())
def test_the_forecast_is_what_a_plan_made_now_stores(
    engine: Engine, tmp_path, printed, readers, frozen
):
    _forget_everything(engine)
    container = open_container(engine)
    container.receive(*printed)
    people = {f"f{next(_serial)}@example.com": reader for reader in readers}
    container.subscribe(tmp_path, {e: ";".join(sorted(t)) for e, (t, *_) in people.items()})
    _make_so(container, people)
    undone = _undo(container, people)
    if frozen:
        container.publishing.assemble(TECHNOLOGY, TODAY)

    found = _forecast_that_writes_nothing(container)
    stored = container.plan_issue()
    assert stored.state is not IssueStatus.DRAFT
    assert {one.edition.key: one.readers for one in found.editions} == _planned(container)
    assert {str(k): v for k, v in found.exclusions.items()} == _excluded(container)
    assert (
        found.people == container.query("SELECT audience FROM issue")[0][0] == len(people) - undone
    )
    chosen = Counter(
        {one.topics: one.people for one in found.without_story if one.exclusion is None}
    )
    assert sum(chosen.values()) == found.exclusions.get(Exclusion.NO_STORY, 0)


def test_the_digest_counts_those_who_chose_weekly(engine: Engine, tmp_path):
    container = open_container(engine)
    container.receive("chips")
    everyday = ("a@example.com", (frozenset({"chips"}), SubscriptionStatus.ACTIVE, False, ""))
    weekly = ("b@example.com", (frozenset({"chips"}), SubscriptionStatus.ACTIVE, False, "weekly"))
    container.subscribe(tmp_path, {"a@example.com": "chips", "b@example.com": "chips"})
    _make_so(container, dict([everyday, weekly]))
    [digest] = digests(TECHNOLOGY)
    found = container.forecasts.of(digest, TODAY)
    assert found.exclusions == {Exclusion.NO_STORY: 1, Exclusion.OTHER_FREQUENCY: 1}


def test_an_empty_day_is_a_forecast_too(engine: Engine, tmp_path):
    container = open_container(engine)
    container.subscribe(tmp_path, {"a@example.com": "chips", "b@example.com": ""})
    found = container.forecasts.of(TECHNOLOGY, TODAY)
    assert (found.editions, found.exclusions) == ((), {Exclusion.NO_STORY: 2})
    assert {tuple(one.topics.slugs) for one in found.without_story} == {("chips",), ("*",)}


def test_the_edition_with_most_readers_comes_first(engine: Engine):
    container = open_container(engine)
    container.receive("chips", "policy")
    issue = container.publishing.upcoming(TECHNOLOGY, TODAY)

    def chose(people: int, *slugs: str) -> TopicSetCount:
        return TopicSetCount(topics=TopicSet.of(slugs), exclusion=None, people=people)

    found = forecast(
        issue, [chose(2), chose(9, "policy"), chose(8, "policy", "robotics")], container.clock.now()
    )
    assert [(one.readers, sorted(one.topics.slugs)) for one in found.editions] == [
        (17, ["policy"]),
        (2, ["*"]),
    ]


_UNDO = """
    UPDATE subscription SET undone_at = now() FROM subscriber
     WHERE subscriber.id = subscriber_id AND email = ANY(:emails)
"""
_LEAVE_LATER = """
    INSERT INTO pending_unsubscribe (subscription_id, at, source)
    SELECT subscription.id, now(), 'test'
      FROM subscription JOIN subscriber ON subscriber.id = subscriber_id
     CROSS JOIN generate_series(1, 2)
     WHERE email = ANY(:emails)
"""


def _undo(container, people) -> int:
    """Undo some, and let others have asked to leave while somebody was in their way."""

    def those(ways: str) -> list[str]:
        return [email for email, reader in people.items() if reader[3] == ways]

    container.query(_UNDO, emails=those("undone"))
    container.query(_LEAVE_LATER, emails=those("pending"))
    return len(those("undone"))


def _forecast_that_writes_nothing(container) -> Forecast:
    """Return the forecast of a container that has only read-only transactions."""
    only_reads = {"options": "-c default_transaction_read_only=on"}
    engine = create_engine(container.engine.url, connect_args=only_reads)
    rows = container.rows()
    try:
        found = open_reading(container, engine).forecasts.of(TECHNOLOGY, TODAY)
    finally:
        engine.dispose()
    assert container.rows() == rows
    return found


def open_reading(container, engine: Engine):
    """Return a container on an engine that may only read."""
    return type(container)(
        container.settings, engine=engine, clock=container.clock, mailer=container.mailer
    )


def _planned(container) -> dict[str, int]:
    return dict(
        container.query("""
            SELECT edition.key, sum(batch.size)::integer FROM edition
              JOIN batch ON batch.edition_id = edition.id GROUP BY 1""")
    )


def _excluded(container) -> dict[str, int]:
    return dict(
        container.query("SELECT reason, sum(cardinality(offsets)) FROM exclusion GROUP BY 1")
    )
