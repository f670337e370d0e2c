"""What an undone import had added is as good as absent, at every desk."""

import json
from pathlib import Path

import pytest

from subscribers.errors import NotAdded
from subscribers.health.store import PostgresHealth
from subscribers.model import SubscriptionStatus, Suppression, SuppressionReason
from subscribers.records.service import standing
from subscribers.segments.filters import Filter, Standing
from subscribers.segments.store import PostgresSegments
from subscribers.signup.model import Evidence
from subscribers.signup.store import PostgresSignUps
from tests.records.conftest import Office

pytestmark = pytest.mark.postgres

KEEP, OTHER = "keep@example.com", "other@example.com"


@pytest.fixture
def taken_back(office: Office, tmp_path: Path) -> str:
    """The goodbye link of somebody whose import was undone."""
    return take_back(office, tmp_path, OTHER)


def take_back(office: Office, folder: Path, email: str) -> str:
    office.house.subscribe(folder, {email: "chips"})
    link, [latest, *_] = office.link(email), office.house.lists.imports()
    assert office.house.lists.undo(latest.id, now=office.now, actor="anna").removed == 1
    office.house.clock.pass_time(hours=1)
    return link


def leave(office: Office, link: str) -> None:
    office.house.subscriptions.leave(link, {"technology"}, now=office.now, source="link")


def test_by_hand_it_is_added_anew_and_the_old_link_ends_it(office: Office, taken_back: str):
    before = office.subscription(OTHER)

    assert office.add(OTHER) == before.id

    after = office.subscription(OTHER)
    assert (after.source, after.joined, after.tags) == ("anna", office.now, ())
    assert office.mailable == {(OTHER, "technology")}
    leave(office, taken_back)
    assert office.mailable == set()
    with pytest.raises(NotAdded, match="goodbye"):
        office.add(OTHER)


def test_who_left_by_an_old_link_is_not_added_by_hand(office: Office, taken_back: str):
    leave(office, taken_back)
    with pytest.raises(NotAdded, match="goodbye"):
        office.add(OTHER)


def test_a_confirmed_sign_up_makes_it_its_owners(office: Office, taken_back: str):
    request = {"at": office.now.isoformat(), "via": "sign-up page", "text": ""}
    [(signup,)] = office.rows(
        "INSERT INTO signup (newsletter, email, email_key, topics, zone, asked_at, expires_at,"
        f" evidence) VALUES ('technology', '{OTHER}', '{OTHER}', '{{policy}}', 'UTC', now(), now(),"
        f""" '{json.dumps({"requests": [request]})}') RETURNING id""".replace(":", r"\:")
    )

    PostgresSignUps(office.house.engine).confirm(signup, Evidence(via="link"), at=office.now)

    one = office.subscription(OTHER)
    assert (one.status, one.source, one.joined) == ("active", "sign-up page", office.now)
    assert office.rows("SELECT import_id, undone_at FROM subscription") == [(None, None)]
    assert office.rows("SELECT * FROM change") == []  # they had not been here before
    leave(office, taken_back)
    assert office.mailable == set()


def test_merged_into_somebody_it_ends_nothing_but_by_its_old_link(office: Office, taken_back: str):
    office.add(KEEP)
    office.merge(KEEP, OTHER)
    assert office.mailable == {(KEEP, "technology")}

    leave(office, taken_back)

    assert office.mailable == set()
    assert office.subscription(KEEP).status is SubscriptionStatus.ENDED


def test_merged_into_it_a_subscription_takes_its_place(office: Office, tmp_path: Path):
    old = take_back(office, tmp_path, KEEP)
    office.add(OTHER)
    office.merge(KEEP, OTHER)
    assert office.mailable == {(KEEP, "technology")}

    leave(office, old)

    assert office.mailable == set()


def test_two_of_them_merged_are_still_none(office: Office, taken_back: str, tmp_path: Path):
    take_back(office, tmp_path, KEEP)
    office.merge(KEEP, OTHER)
    office.house.subscribe(tmp_path, {KEEP: ""})
    assert office.mailable == {(KEEP, "technology")}

    leave(office, taken_back)

    assert office.mailable == set()


@pytest.mark.parametrize(
    ("said", "ends"), [(SuppressionReason.COMPLAINT, True), (SuppressionReason.BOUNCE, False)]
)
def test_what_its_owner_told_sendgrid_is_heard_when_it_is_merged(
    office: Office, taken_back: str, said: SuppressionReason, ends: bool
):
    office.add(KEEP)
    told = Suppression(email=OTHER, reason=said, source="list", since=office.now)
    office.house.subscriptions.suppress([told])

    office.merge(KEEP, OTHER)

    assert (office.mailable == set()) is ends


def test_it_counts_for_nothing_and_is_shown_as_what_it_is(office: Office, taken_back: str):
    engine, today = office.house.engine, office.now.date()
    assert office.house.subscriptions.counts("technology").subscriptions == 0
    figures = PostgresHealth(engine).figures("technology", now=office.now, since=today)
    assert (figures.counts.subscriptions, figures.joined, figures.left) == (0, {}, {})
    segments = PostgresSegments(engine)
    for chosen in (Filter(), Filter(status=Standing.ENDED)):
        assert segments.count("technology", chosen, today).matching == 0
    exported: list[bytes] = []
    given = office.house.lists._store.export(
        "technology", Filter(), today, exported.append, csv=False
    )
    assert (given, exported) == (0, [])

    [found] = office.records.search(OTHER, limit=5)
    assert (found.standing, found.tags) == (("technology: taken back with import 1",), ())
    assert not office.records.search("", newsletter="technology", limit=5)
    [one] = office.records.person(OTHER).subscriptions
    assert standing(one) == "taken back with import 1"


def test_it_is_erased_with_the_rest(office: Office, taken_back: str):
    office.people.erase_address(OTHER, actor="anna")
    assert office.rows("SELECT id FROM subscription") == []
