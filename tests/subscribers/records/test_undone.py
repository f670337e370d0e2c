"""What an undone import had added is as good as absent, in every part."""

import json
from pathlib import Path

import pytest

from subscribers.db.transaction import transaction
from subscribers.errors import NotAdded
from subscribers.health.service import ListHealth
from subscribers.model import SubscriptionStatus, Suppression, SuppressionReason
from subscribers.records.model import status_text
from subscribers.segments.filters import Filter, SubscriberState
from subscribers.segments.service import Segments
from subscribers.signup.confirming import confirm
from subscribers.signup.model import ConsentProof
from tests.subscribers.records.conftest import RecordsContainer

pytestmark = pytest.mark.postgres

KEEP, OTHER = "keep@example.com", "other@example.com"


@pytest.fixture
def undone(container: RecordsContainer, tmp_path: Path) -> str:
    """The unsubscribe link of somebody whose import was undone."""
    return take_back(container, tmp_path, OTHER)


def take_back(container: RecordsContainer, folder: Path, email: str) -> str:
    container.subscribe(folder, {email: "chips"})
    link, [latest, *_] = container.link(email), container.lists.imports()
    assert container.lists.undo(latest.id, now=container.now, actor="anna").removed == 1
    container.clock.pass_time(hours=1)
    return link


def leave(container: RecordsContainer, link: str) -> None:
    container.subscriptions.unsubscribe_by_link(
        link, {"technology"}, now=container.now, source="link"
    )


def test_by_hand_it_is_added_anew_and_the_old_link_ends_it(
    container: RecordsContainer, undone: str
):
    before = container.subscription(OTHER)

    assert container.add(OTHER) == before.id

    after = container.subscription(OTHER)
    assert (after.source, after.joined, after.tags) == ("anna", container.now, ())
    assert container.mailable == {(OTHER, "technology")}
    leave(container, undone)
    assert container.mailable == set()
    with pytest.raises(NotAdded, match="unsubscribed"):
        container.add(OTHER)


def test_who_left_by_an_old_link_is_not_added_by_hand(container: RecordsContainer, undone: str):
    leave(container, undone)
    with pytest.raises(NotAdded, match="unsubscribed"):
        container.add(OTHER)


def test_a_confirmed_sign_up_makes_it_its_owners(container: RecordsContainer, undone: str):
    request = {"at": container.now.isoformat(), "via": "sign-up page", "text": ""}
    [(signup,)] = container.query(
        "INSERT INTO signup (newsletter, email, email_key, topics, zone, asked_at, expires_at,"
        f" evidence) VALUES ('technology', '{OTHER}', '{OTHER}', '{{policy}}', 'UTC', now(), now(),"
        f""" '{json.dumps({"requests": [request]})}') RETURNING id""".replace(":", r"\:")
    )

    with transaction(container.engine) as session:
        confirm(session, signup, ConsentProof(via="link"), container.now)

    one = container.subscription(OTHER)
    assert (one.status, one.source, one.joined) == ("active", "sign-up page", container.now)
    assert container.query("SELECT import_id, undone_at FROM subscription") == [(None, None)]
    assert container.query("SELECT * FROM change") == []  # they had not been here before
    leave(container, undone)
    assert container.mailable == set()


def test_merged_into_somebody_it_ends_nothing_but_by_its_old_link(
    container: RecordsContainer, undone: str
):
    container.add(KEEP)
    container.merge(KEEP, OTHER)
    assert container.mailable == {(KEEP, "technology")}

    leave(container, undone)

    assert container.mailable == set()
    assert container.subscription(KEEP).status is SubscriptionStatus.ENDED


def test_merged_into_it_a_subscription_takes_its_place(container: RecordsContainer, tmp_path: Path):
    old = take_back(container, tmp_path, KEEP)
    container.add(OTHER)
    container.merge(KEEP, OTHER)
    assert container.mailable == {(KEEP, "technology")}

    leave(container, old)

    assert container.mailable == set()


def test_two_of_them_merged_are_still_none(
    container: RecordsContainer, undone: str, tmp_path: Path
):
    take_back(container, tmp_path, KEEP)
    container.merge(KEEP, OTHER)
    container.subscribe(tmp_path, {KEEP: ""})
    assert container.mailable == {(KEEP, "technology")}

    leave(container, undone)

    assert container.mailable == set()


@pytest.mark.parametrize(
    ("said", "ends"), [(SuppressionReason.COMPLAINT, True), (SuppressionReason.BOUNCE, False)]
)
def test_what_its_owner_said_to_sendgrid_counts_when_it_is_merged(
    container: RecordsContainer, undone: str, said: SuppressionReason, ends: bool
):
    container.add(KEEP)
    shown = Suppression(email=OTHER, reason=said, source="list", since=container.now)
    container.subscriptions.suppress([shown])

    container.merge(KEEP, OTHER)

    assert (container.mailable == set()) is ends


def test_it_counts_for_nothing_and_is_shown_as_what_it_is(container: RecordsContainer, undone: str):
    engine = container.engine
    assert container.subscriptions.counts("technology").subscriptions == 0
    figures = ListHealth(engine).report("technology", container.now).figures
    assert (figures.counts.subscriptions, figures.joined, figures.left) == (0, {}, {})
    segments = Segments(engine)
    for chosen in (Filter(), Filter(status=SubscriberState.ENDED)):
        assert segments.count("technology", chosen, now=container.now).matching == 0
    exported: list[bytes] = []
    given = container.lists.export(
        "technology", Filter(), exported.append, now=container.now, csv=False
    )
    assert (given, exported) == (0, [])

    [found] = container.records.search(OTHER, limit=5)
    assert (found.statuses, found.tags) == (("technology: undone with import 1",), ())
    assert not container.records.search("", newsletter="technology", limit=5)
    [one] = container.records.person(OTHER).subscriptions
    assert status_text(one) == "undone with import 1"


def test_it_is_erased_with_the_rest(container: RecordsContainer, undone: str):
    container.people.erase_address(OTHER, actor="anna")
    assert container.query("SELECT id FROM subscription") == []
