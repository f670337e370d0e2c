"""Old letters go a partition at a time, wholly, and only when nothing of theirs is needed."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine

from newsletter.core.delivery import DeliveryState
from newsletter.services.retention import Retention
from newsletter.stores import partitions
from newsletter.stores.partitions import IssueRange, range_of
from subscribers.records.model import PersonIds
from tests.container import TestContainer, one_request, open_container

pytestmark = pytest.mark.postgres

OLD = range_of(1)
TABLES = ("delivery", "delivery_event", "story_click")
PERSON = PersonIds(subscriber_ids=(1,), subscription_ids=(1,), signup_ids=(), address_change_ids=())


class Summaries:
    """Keeps sums, as far as the tests are concerned."""

    def __init__(self, *open_issues: int) -> None:
        self.open_issues, self.asked = open_issues, list[int]()

    def __call__(self, issue_ids: Collection[int]) -> Collection[int]:
        self.asked += issue_ids
        return self.open_issues


@pytest.fixture
def container(engine: Engine) -> TestContainer:
    """Issues 1 and 2 of long ago, and 40 of now, each with a letter, an event and a click."""
    made = open_container(engine)
    made.partitions.prepare_for(40)
    for issue in (1, 2, 40):
        made.query(one_request(issue))
        made.query(
            f"""
            INSERT INTO delivery (issue_id, place, subscriber_id, subscription_id)
            SELECT {issue}, n, n, n FROM generate_series(1, 2) AS n;
            INSERT INTO delivery_event
                   (issue_id, place, event_key, kind, at, received_at, raw, origin)
            SELECT {issue}, n, gen_random_uuid(), 'opened', now(), now(), '{{}}', 'own'
              FROM generate_series(1, 2) AS n;
            INSERT INTO story_click VALUES ({issue}, 1, 1, 1);
            INSERT INTO soft_bounce (issue_id, place, subscriber_id, at)
            VALUES ({issue}, 1, 1, now());
            """
        )
    long_ago = made.clock.now() - timedelta(days=410)
    made.query("UPDATE issue SET planned_at = :at WHERE id < 40", at=long_ago)
    made.query("UPDATE issue SET planned_at = :at WHERE id = 40", at=made.clock.now())
    return made


def retention(container: TestContainer, summaries: Summaries, days: int = 400) -> Retention:
    return Retention(
        events=container.person_history,
        evidence=container.records,
        clock=container.clock,
        events_for=None,
        evidence_for=None,
        partitions=container.partitions,
        deliveries_for=timedelta(days=days) or None,
        summarize=summaries,
    )


def issues(container: TestContainer, table: str) -> set[int]:
    return {row[0] for row in container.query(f"SELECT issue_id FROM {table}")}


def tables(container: TestContainer) -> set[str]:
    sql = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '_1$'"
    return {name for (name,) in container.query(sql)}


def test_the_letters_of_old_issues_go_with_their_events_once_their_sums_are_kept(container):
    summaries = Summaries()
    assert retention(container, summaries).expire().deliveries == 1
    assert summaries.asked == [1, 2]
    assert [issues(container, one) for one in (*TABLES, "soft_bounce")] == [{40}] * 4
    assert tables(container) == set()
    assert container.query("SELECT count(*) FROM issue") == [(3,)]
    assert retention(container, summaries).expire().deliveries == 0


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE issue SET planned_at = now() WHERE id = 2",
        "UPDATE issue SET state = 'sending' WHERE id = 2",
        "UPDATE issue SET state = 'paused' WHERE id = 1",
        "TRUNCATE attempt, split_from, batch, edition; DELETE FROM issue WHERE id > 2",
    ],
    ids=["one is younger", "one is sent", "one is paused", "it is in use"],
)
def test_one_issue_that_is_needed_keeps_its_neighbours(container, change):
    container.clock.pass_time(days=0)
    container.query(change.replace("now()", f"'{container.clock.now()}'"))
    summaries = Summaries()
    assert retention(container, summaries).expire().deliveries == 0
    assert (summaries.asked, 1 in issues(container, "delivery")) == ([], True)


def test_nothing_goes_without_its_sums_or_where_letters_are_kept_for_ever(container):
    assert retention(container, Summaries(2)).expire().deliveries == 0
    assert retention(container, Summaries(), days=0).expire().deliveries == 0
    assert [issues(container, one) for one in TABLES] == [{1, 2, 40}] * 3


def test_the_service_keeps_the_sums_of_what_it_lets_go(container):
    before = container.deliveries.totals(1)
    assert container.retention.expire().deliveries == 1
    assert container.deliveries.totals(1) == before
    assert issues(container, "delivery") == {40}


def broken_off(container: TestContainer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Detach, and die before anything is dropped."""

    class Died(Exception):
        pass

    def die(*_: Any) -> None:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(partitions, "_drop_table", die)
        with pytest.raises(Died):
            container.partitions.drop(OLD)


def pending(container: TestContainer) -> None:
    """Begin to detach, and be broken off while a transaction from before is waited for."""
    url = container.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with container.engine.begin() as reading, psycopg.connect(url, autocommit=True) as detaching:
        reading.exec_driver_sql("SELECT count(*) FROM delivery_event")
        detaching.execute("SET lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            detaching.execute(
                "ALTER TABLE delivery_event DETACH PARTITION delivery_event_1 CONCURRENTLY"
            )
    assert container.query("SELECT count(*) FROM pg_inherits WHERE inhdetachpending") == [(1,)]


@pytest.mark.parametrize("how", ["detached", "pending"])
def test_what_a_broken_run_has_left_is_erased_and_then_dropped(container, monkeypatch, how):
    if how == "pending":
        pending(container)
    else:
        broken_off(container, monkeypatch)
    assert issues(container, "delivery_event") == {40}
    sql = "SELECT count(*) FROM delivery_event_1"
    assert container.query(sql) == [(4,)]

    container.person_history.erase(PERSON)

    assert container.query(sql) == [(2,)]
    [(erased,)] = container.query("SELECT count(*) FROM delivery WHERE subscription_id = 0")
    assert erased == 3

    assert retention(container, Summaries()).expire().deliveries == 1
    assert tables(container) == set()
    assert container.query("SELECT count(*) FROM pg_inherits WHERE inhdetachpending") == [(0,)]


def test_soft_bounces_of_old_letters_never_outlive_the_letters(container, monkeypatch):
    """Whoever had many letters since would seem to have had few, and be suppressed."""
    dropped = partitions._drop

    def die(connection: Any, table: str, partition: str) -> None:
        dropped(connection, table, partition)
        if table == "delivery":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(partitions, "_drop", die)
        with pytest.raises(KeyboardInterrupt):
            container.partitions.drop(OLD)
    retention(container, Summaries()).expire()
    assert issues(container, "soft_bounce") == {40}


def test_an_erasure_reaches_deliveries_that_are_detached(container: TestContainer):
    container.query("ALTER TABLE delivery DETACH PARTITION delivery_1")
    container.query("ALTER TABLE delivery_event DETACH PARTITION delivery_event_1")
    container.person_history.erase(PERSON)
    assert container.query("SELECT DISTINCT subscription_id FROM delivery_1 ORDER BY 1") == [
        (0,),
        (2,),
    ]
    assert container.query("SELECT DISTINCT place FROM delivery_event_1") == [(2,)]


def test_an_event_of_a_letter_that_was_let_go_is_stored_and_moves_nothing(container):
    container.partitions.drop(OLD)
    event = {
        "email": "reader@example.com",
        "event": "click",
        "url": "https://example.org",
        "timestamp": 1795000000,
        "nl_installation": container.installation_id,
        "nl_attempt": "one-1",
        "nl_issue": "1",
        "nl_delivery": "1",
    }
    stored = container.receive_events(
        event | {"sg_event_id": "a"},
        event | {"sg_event_id": "b", "nl_issue": "40", "nl_attempt": "one-40"},
    )
    assert len(stored.new) == 2
    assert container.query("SELECT issue_id, origin FROM delivery_event WHERE kind = 'clicked' "
                           "ORDER BY 1") == [(0, "unmatched"), (40, "own")]  # fmt: skip
    states = container.query("SELECT state FROM delivery WHERE place = 1")
    assert states == [(DeliveryState.CLICKED,)]


def test_ranges_begin_at_multiples_and_none_has_issue_0():
    assert range_of(31) == IssueRange(1, 32)
    assert range_of(95) == IssueRange(64, 96)
    assert range_of(64).partition("delivery") == "delivery_64"
