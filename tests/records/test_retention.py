"""What was kept long enough goes, in portions; what is still needed stays."""

from datetime import timedelta

import pytest

from newsletter.services import retention
from newsletter.services.retention import Expired, Retention
from tests.records.conftest import Office

pytestmark = pytest.mark.postgres

YEAR = timedelta(days=365)


def desk(office: Office, *, events: int = 30, evidence: int = 365) -> Retention:
    return Retention(
        events=office.letters,
        evidence=office.records,
        clock=office.house.clock,
        events_for=timedelta(days=events) or None,
        evidence_for=timedelta(days=evidence) or None,
    )


def test_old_events_go_and_how_the_letter_stands_remains(sent: Office, monkeypatch):
    monkeypatch.setattr(retention, "_PORTION", 2)
    for number, age in enumerate([40, 35, 31, 29]):
        sent.do(
            "INSERT INTO delivery_event (event_id, delivery_id, kind, at, received_at, raw) "
            "VALUES (:id, 1, 'opened', :at, :at, '{}')",
            id=f"e{number}",
            at=sent.now - timedelta(days=age),
        )
    standing = sent.rows("SELECT id, state FROM delivery ORDER BY id")

    assert desk(sent, events=0).expire().events == 0
    assert desk(sent).expire().events == 3
    assert desk(sent).expire().events == 0
    assert sent.rows("SELECT event_id FROM delivery_event") == [("e3",)]
    assert sent.rows("SELECT id, state FROM delivery ORDER BY id") == standing


def test_evidence_goes_a_time_after_the_end_and_never_before(office: Office):
    for email in ("stays@example.com", "left@example.com"):
        number = office.add(email)
        office.records.tag([number], ["vip"], actor="anna", now=office.now)
    office.house.clock.pass_time(minutes=int(2 * YEAR / timedelta(minutes=1)))
    office.people.leave([office.subscription("left@example.com")], actor="anna")
    left = office.records.id_of("left@example.com")
    office.records.note(left, "sorry to go", actor="anna", now=office.now)

    assert desk(office).expire() == Expired(events=0, evidence=0)
    office.house.clock.pass_time(minutes=int(YEAR / timedelta(minutes=1)) + 1)
    assert desk(office, evidence=0).expire().evidence == 0
    assert desk(office).expire().evidence == 4

    assert office.records.entries(left) == ()
    assert len(office.records.entries(office.records.id_of("stays@example.com"))) == 2
    assert office.mailable == {("stays@example.com", "technology")}
    assert office.subscription("left@example.com").status == "ended"


def test_evidence_of_who_was_merged_lasts_as_long_as_what_it_became(office: Office):
    office.add("keep@example.com", "markets")
    office.add("other@example.com")
    office.merge("keep@example.com", "other@example.com")
    office.house.clock.pass_time(minutes=int(3 * YEAR / timedelta(minutes=1)))

    assert desk(office).expire().evidence == 0
