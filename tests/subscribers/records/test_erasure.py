"""Erased is erased: in both houses, for good, and every issue still adds up."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.core.delivery import DeliveryKey
from newsletter.core.events import DeliveryEvent, EventKind
from subscribers.errors import InvalidLink, NoSuchSubscriber, NotAdded
from subscribers.model import Purpose, Suppression, SuppressionReason
from tests.subscribers.records.conftest import RecordsContainer

pytestmark = pytest.mark.postgres

READER = "reader@example.com"


def event(
    container: RecordsContainer, delivery: DeliveryKey, event_id: str = "e1"
) -> DeliveryEvent:
    return DeliveryEvent(
        event_id=event_id,
        kind=EventKind.OPENED,
        delivery=delivery,
        attempt_id=container.mailer.asked[0][2].attempt_id,
        installation_id=container.installation_id,
        at=container.now,
        reason="",
        raw={"email": READER},
    )


def test_nothing_is_left_of_a_person_but_a_hash_and_the_sums_still_add_up(sent: RecordsContainer):
    person_id = sent.records.id_of(READER)
    [(issue_id, place)] = sent.query(
        f"SELECT issue_id, place FROM delivery WHERE subscriber_id = {person_id}"
    )
    delivery = DeliveryKey(issue_id, place)
    links = [sent.link(READER), sent.link(READER, Purpose.PREFERENCES)]
    sent.record_event(event(sent, delivery))
    sent.records.note(person_id, f"{READER} rang", actor="anna", now=sent.now)
    before = sent.deliveries.totals(issue_id)
    assert READER in sent.everything()

    sent.people.erase(person_id, actor="anna")
    sent.record_event(event(sent, delivery, "e2"))  # still on its way

    assert READER not in sent.everything()
    assert "other@example.com" in sent.everything()
    assert sent.deliveries.totals(issue_id) == before
    assert before.sums.adds_up
    for purpose, link in zip((Purpose.UNSUBSCRIBE, Purpose.PREFERENCES), links, strict=True):
        with pytest.raises(InvalidLink):
            sent.subscriptions.by_token(purpose, link)
    with pytest.raises(InvalidLink):
        sent.subscriptions.unsubscribe_by_link(
            links[0], {"technology"}, now=sent.now, source="link"
        )
    with pytest.raises(NoSuchSubscriber, match="was erased on"):
        sent.records.person(READER)


def test_a_merged_person_is_erased_under_every_address(container: RecordsContainer):
    container.add("keep@example.com")
    container.add("other@example.com")
    container.merge("keep@example.com", "other@example.com")

    container.people.erase_address("other@example.com", actor="anna")

    assert "@example.com" not in container.everything()
    for email in ("keep@example.com", "other@example.com"):
        with pytest.raises(NotAdded, match="erased"):
            container.add(email)


def test_an_address_that_never_subscribed_is_erased_too(container: RecordsContainer):
    container.subscriptions.suppress([suppression(container)])
    container.people.erase_address("Reader@Example.com", actor="anna")
    assert READER not in container.everything()
    with pytest.raises(NoSuchSubscriber, match="erased"):
        container.people.erase_address(READER, actor="anna")
    with pytest.raises(NoSuchSubscriber, match="no subscriber"):
        container.people.erase_address("nobody@example.com", actor="anna")


def test_an_erasure_that_broke_off_between_the_packages_is_finished_by_the_next(
    sent: RecordsContainer,
):
    person_id = sent.records.id_of(READER)
    traces = sent.records.person_ids(person_id)
    sent.person_history.erase(traces)

    sent.people.erase_address(READER, actor="anna")

    assert READER not in sent.everything()


def suppression(container: RecordsContainer) -> Suppression:
    reason = SuppressionReason.COMPLAINT
    return Suppression(email=READER, reason=reason, source="a list", since=container.now)


def perform(container: RecordsContainer, act: str) -> None:
    match act:
        case "import":
            with tempfile.TemporaryDirectory() as folder:
                container.subscribe(Path(folder), {"Reader@example.com": "", "x@example.org": ""})
        case "sync":
            container.subscriptions.suppress([suppression(container)])
        case "add":
            with pytest.raises(NotAdded):
                container.add(READER)
        case _:
            with pytest.raises(NoSuchSubscriber):
                container.people.erase_address(READER, actor="anna")


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(acts=st.lists(st.sampled_from(["import", "sync", "add", "erase"]), max_size=4))
def test_no_import_and_no_sync_brings_an_erased_address_back(container: RecordsContainer, acts):
    container.clear()
    container.add(READER)
    container.people.erase(container.records.id_of(READER), actor="anna")
    for act in acts:
        perform(container, act)
        assert READER not in container.everything().lower()


def test_my_data_is_complete_and_fit_for_json(sent: RecordsContainer):
    person_id = sent.records.id_of(READER)

    data = json.loads(json.dumps(sent.people.data(person_id)))

    assert data["email"] == READER
    assert data["subscriptions"][0]["newsletter"] == "technology"
    assert data["consent_and_changes"][0]["what"] == "imported"
    assert data["issues"][0]["date"] == "2026-11-23"
    assert len(data["issues"][0]["sent_at"]) == 1
