"""What was kept long enough goes, in portions; what is still needed stays."""

from collections.abc import Callable, Collection
from datetime import timedelta
from uuid import UUID

import pytest

from newsletter.services import retention
from newsletter.services.retention import Expired, Retention
from tests.subscribers.records.conftest import RecordsContainer

pytestmark = pytest.mark.postgres

YEAR = timedelta(days=365)


def retain(
    container: RecordsContainer,
    *,
    events: int = 30,
    evidence: int = 365,
    deliveries: int = 0,
    summarize: Callable[[Collection[int]], Collection[int]] = tuple,
) -> Retention:
    return Retention(
        events=container.person_history,
        evidence=container.records,
        clock=container.clock,
        events_for=timedelta(days=events) or None,
        evidence_for=timedelta(days=evidence) or None,
        partitions=container.partitions,
        deliveries_for=timedelta(days=deliveries) or None,
        summarize=summarize,
    )


def test_old_events_go_and_how_the_letter_stands_remains(sent: RecordsContainer, monkeypatch):
    monkeypatch.setattr(retention, "_PORTION", 2)
    long_ago = sent.now - timedelta(days=50)  # no event comes before its issue is planned
    sent.query("UPDATE issue SET planned_at = :at", at=long_ago)
    for number, age in enumerate([40, 35, 31, 29]):
        sent.query(
            "INSERT INTO delivery_event (issue_id, place, event_key, origin, kind, at,"
            " received_at, raw) VALUES (:issue, 1, :key, 'own', 'opened', :at, :at, '{}')",
            issue=number % 2,  # of our issue, and of no delivery of ours
            key=UUID(int=number),
            at=sent.now - timedelta(days=age),
        )
    status = sent.query("SELECT place, state FROM delivery ORDER BY place")

    assert retain(sent, events=0).expire().events == 0
    assert retain(sent).expire().events == 3
    assert retain(sent).expire().events == 0
    assert sent.query("SELECT event_key FROM delivery_event") == [(UUID(int=3),)]
    assert sent.query("SELECT place, state FROM delivery ORDER BY place") == status


def test_evidence_goes_a_time_after_the_end_and_never_before(container: RecordsContainer):
    for email in ("stays@example.com", "left@example.com"):
        number = container.add(email)
        container.records.tag([number], ["vip"], actor="anna", now=container.now)
    container.clock.pass_time(minutes=int(2 * YEAR / timedelta(minutes=1)))
    container.people.unsubscribe([container.subscription("left@example.com")], actor="anna")
    left = container.records.id_of("left@example.com")
    container.records.note(left, "sorry to go", actor="anna", now=container.now)

    assert retain(container).expire() == Expired(events=0, evidence=0)
    container.clock.pass_time(minutes=int(YEAR / timedelta(minutes=1)) + 1)
    assert retain(container, evidence=0).expire().evidence == 0
    assert retain(container).expire().evidence == 4

    assert container.records.entries(left) == ()
    assert len(container.records.entries(container.records.id_of("stays@example.com"))) == 2
    assert container.mailable == {("stays@example.com", "technology")}
    assert container.subscription("left@example.com").status == "ended"


def test_evidence_of_who_was_merged_lasts_as_long_as_what_it_became(container: RecordsContainer):
    container.add("keep@example.com", "markets")
    container.add("other@example.com")
    container.merge("keep@example.com", "other@example.com")
    container.clock.pass_time(minutes=int(3 * YEAR / timedelta(minutes=1)))

    assert retain(container).expire().evidence == 0
