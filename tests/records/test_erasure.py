"""Erased is erased: in both houses, for good, and every issue still adds up."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.core.events import DeliveryEvent, EventKind
from subscribers.errors import InvalidLink, NoSuchSubscriber, NotAdded
from subscribers.model import Purpose, Suppression, SuppressionReason
from tests.records.conftest import Office

pytestmark = pytest.mark.postgres

READER = "reader@example.com"


def event(office: Office, delivery_id: int, event_id: str = "e1") -> DeliveryEvent:
    return DeliveryEvent(
        event_id=event_id,
        kind=EventKind.OPENED,
        delivery_id=delivery_id,
        attempt_id=None,
        at=office.now,
        reason="",
        raw={"email": READER},
    )


def test_nothing_is_left_of_a_person_but_a_hash_and_the_sums_still_add_up(sent: Office):
    person_id = sent.records.id_of(READER)
    [(delivery_id, issue_id)] = sent.rows(
        f"SELECT id, issue_id FROM delivery WHERE subscriber_id = {person_id}"
    )
    links = [sent.link(READER), sent.link(READER, Purpose.PREFERENCES)]
    sent.house.events.keep([event(sent, delivery_id)], sent.now)
    sent.records.note(person_id, f"{READER} rang", actor="anna", now=sent.now)
    before = sent.house.deliveries.account(issue_id)
    assert READER in sent.everything()

    sent.people.erase(person_id, actor="anna")
    sent.house.events.keep([event(sent, delivery_id, "e2")], sent.now)  # still on its way

    assert READER not in sent.everything()
    assert "other@example.com" in sent.everything()
    assert sent.house.deliveries.account(issue_id) == before
    assert before.sums.add_up
    for purpose, link in zip((Purpose.UNSUBSCRIBE, Purpose.PREFERENCES), links, strict=True):
        with pytest.raises(InvalidLink):
            sent.house.subscriptions.by_token(purpose, link)
    with pytest.raises(InvalidLink):
        sent.house.subscriptions.leave(links[0], {"technology"}, now=sent.now, source="link")
    with pytest.raises(NoSuchSubscriber, match="was erased on"):
        sent.records.person(READER)


def test_a_merged_person_is_erased_under_every_address(office: Office):
    office.add("keep@example.com")
    office.add("other@example.com")
    office.merge("keep@example.com", "other@example.com")

    office.people.erase_address("other@example.com", actor="anna")

    assert "@example.com" not in office.everything()
    for email in ("keep@example.com", "other@example.com"):
        with pytest.raises(NotAdded, match="erased"):
            office.add(email)


def test_an_address_that_never_subscribed_is_erased_too(office: Office):
    office.house.subscriptions.suppress([silence(office)])
    office.people.erase_address("Reader@Example.com", actor="anna")
    assert READER not in office.everything()
    with pytest.raises(NoSuchSubscriber, match="erased"):
        office.people.erase_address(READER, actor="anna")
    with pytest.raises(NoSuchSubscriber, match="no subscriber"):
        office.people.erase_address("nobody@example.com", actor="anna")


def test_an_erasure_that_broke_off_between_the_houses_is_finished_by_the_next(sent: Office):
    person_id = sent.records.id_of(READER)
    traces = sent.records.traces(person_id)
    sent.letters.forget(
        traces.subscriber_ids,
        signup_ids=traces.signup_ids,
        address_change_ids=traces.address_change_ids,
        subscription_ids=traces.subscription_ids,
    )

    sent.people.erase_address(READER, actor="anna")

    assert READER not in sent.everything()


def silence(office: Office) -> Suppression:
    reason = SuppressionReason.COMPLAINT
    return Suppression(email=READER, reason=reason, source="a list", since=office.now)


def perform(office: Office, act: str) -> None:
    match act:
        case "import":
            with tempfile.TemporaryDirectory() as folder:
                office.house.subscribe(
                    Path(folder), {"Reader@example.com": "", "x@example.org": ""}
                )
        case "sync":
            office.house.subscriptions.suppress([silence(office)])
        case "add":
            with pytest.raises(NotAdded):
                office.add(READER)
        case _:
            with pytest.raises(NoSuchSubscriber):
                office.people.erase_address(READER, actor="anna")


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(acts=st.lists(st.sampled_from(["import", "sync", "add", "erase"]), max_size=4))
def test_no_import_and_no_sync_brings_an_erased_address_back(office: Office, acts):
    office.clear()
    office.add(READER)
    office.people.erase(office.records.id_of(READER), actor="anna")
    for act in acts:
        perform(office, act)
        assert READER not in office.everything().lower()


def test_my_data_is_complete_and_fit_for_json(sent: Office):
    person_id = sent.records.id_of(READER)

    data = json.loads(json.dumps(sent.people.data(person_id)))

    assert data["email"] == READER
    assert data["subscriptions"][0]["newsletter"] == "technology"
    assert data["consent_and_changes"][0]["what"] == "imported"
    assert data["issues"][0]["date"] == "2026-11-23"
    assert len(data["issues"][0]["sent_at"]) == 1
