"""Two subscribers made one: no goodbye is lost, nobody is won back, the record stands."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from subscribers.errors import NotAdded, NotMerged
from subscribers.model import (
    Frequency,
    Purpose,
    SubscriptionStatus,
    Suppression,
    SuppressionReason,
    TopicSet,
)
from subscribers.signup.model import Evidence, Limits, Wanted
from subscribers.signup.service import SignUps
from subscribers.signup.store import PostgresSignUps
from tests.records.conftest import Office

pytestmark = pytest.mark.postgres

KEEP, OTHER = "keep@example.com", "other@example.com"
ENDED, ACTIVE = SubscriptionStatus.ENDED, SubscriptionStatus.ACTIVE


def suppress(office: Office, email: str, reason: SuppressionReason) -> None:
    said = Suppression(email=email, reason=reason, source="test", since=office.now)
    office.house.subscriptions.suppress([said])


def test_what_only_the_other_had_moves_and_where_both_had_it_the_kept_choice_stands(office: Office):
    office.add(KEEP, "technology", "chips")
    office.records.tag(
        [office.add(OTHER, "technology", "policy")], ["vip"], actor="a", now=office.now
    )
    office.add(OTHER, "markets", "bonds", name="Reader")

    office.merge(KEEP, OTHER)

    assert office.mailable == {(KEEP, "technology"), (KEEP, "markets")}
    kept = office.subscription(KEEP)
    assert (kept.topics.slugs, kept.tags, kept.name) == ({"chips"}, ("vip",), "Reader")
    assert office.subscription(KEEP, "markets").topics.slugs == {"bonds"}
    person = office.records.person(OTHER)
    assert (person.email, person.other_addresses) == (KEEP, (OTHER,))


def test_a_goodbye_through_either_old_link_ends_the_merged_subscription(office: Office):
    for mine, newsletter in ((KEEP, "technology"), (OTHER, "technology")):
        office.add(mine, newsletter)
    links = [office.link(KEEP), office.link(OTHER)]
    office.merge(KEEP, OTHER)
    for link in links:
        found = office.house.subscriptions.by_token(Purpose.UNSUBSCRIBE, link)
        assert found.id == office.subscription(KEEP).id
        said = {"now": office.now, "source": "link"}

        heard_of = office.house.subscriptions.leave(link, {"technology"}, **said)

        assert heard_of == "technology"
        assert office.mailable == set()
        office.house.subscriptions.resume(found.id, now=office.now, source="page")
        assert office.mailable == {(KEEP, "technology")}


def test_a_complaint_about_an_old_letter_ends_what_its_subscription_became(office: Office):
    old = office.add(OTHER)
    office.merge(office_keeps(office), OTHER)

    office.house.subscriptions.end([old], now=office.now, source="delivery event")

    assert office.mailable == {(KEEP, "markets")}


def office_keeps(office: Office) -> str:
    office.add(KEEP, "markets")
    return KEEP


def test_merged_again_the_oldest_link_still_says_goodbye(office: Office):
    for email in (KEEP, OTHER, "third@example.com"):
        office.add(email)
    oldest = office.link("third@example.com")
    office.merge(OTHER, "third@example.com")
    office.merge(KEEP, OTHER)

    office.house.subscriptions.leave(oldest, {"technology"}, now=office.now, source="link")

    assert office.mailable == set()
    assert office.records.person(KEEP).other_addresses == (OTHER, "third@example.com")


def test_consent_stays_where_it_was_written_and_is_read_with_who_was_kept(office: Office):
    office.add(KEEP)
    office.add(OTHER)
    before = office.rows("SELECT * FROM consent ORDER BY id")
    office.merge(KEEP, OTHER)

    assert office.rows("SELECT * FROM consent ORDER BY id") == before
    entries = office.records.entries(office.records.id_of(KEEP))
    assert [(one.email, one.what) for one in entries] == [
        (KEEP, "imported"),
        (OTHER, "imported"),
        (KEEP, "merged"),
    ]


def test_by_hand_nothing_is_added_to_an_address_that_was_merged(office: Office):
    office.add(KEEP)
    office.add(OTHER)
    office.merge(KEEP, OTHER)
    for newsletter in ("technology", "markets"):
        with pytest.raises(NotAdded, match=KEEP):
            office.add(OTHER, newsletter)


def test_each_entry_names_the_address_it_was_said_of(office: Office):
    """Also after the address changed, and the merged one's was taken over."""
    office.add(KEEP)
    office.add(OTHER)
    office.merge(KEEP, OTHER)
    keep_id = office.records.id_of(KEEP)
    office.do("UPDATE subscriber SET email = 'x', email_key = 'x' WHERE email = :m", m=OTHER)
    office.do("UPDATE subscriber SET email = :m, email_key = :m WHERE email = :k", m=OTHER, k=KEEP)
    office.do(
        "INSERT INTO change (subscriber_id, at, actor, what, detail) VALUES (:id, :at, "
        "'subscriber', 'address', jsonb_build_object('from', CAST(:k AS text)))",
        id=keep_id,
        at=office.now,
        k=KEEP,
    )
    emails = [one.email for one in office.records.entries(keep_id)]
    assert emails == [KEEP, OTHER, KEEP, OTHER]


def test_who_was_merged_is_not_merged_again_and_nobody_with_themselves(office: Office):
    office.add(KEEP)
    office.add(OTHER)
    other_id = office.records.id_of(OTHER)
    office.merge(KEEP, OTHER)
    keep_id = office.records.id_of(KEEP)
    for pair in ((keep_id, other_id), (other_id, keep_id), (keep_id, keep_id)):
        with pytest.raises(NotMerged):
            office.records.merge(*pair, actor="anna", now=office.now)


STANDS = st.fixed_dictionaries(
    {
        "has": st.sampled_from([True, True, True, False]),
        "left": st.sampled_from([False, False, False, True]),
        "paused": st.sampled_from([False, False, False, True]),
        "silenced": st.sampled_from([*[None] * 6, *SuppressionReason]),
    }
)
WANTS = {"has": True, "left": False, "paused": False, "silenced": None}


def settle(office: Office, email: str, stands: dict) -> None:
    number = office.add(email, "technology" if stands["has"] else "markets")
    if stands["left"]:
        office.house.subscriptions.end([number], now=office.now, source="test")
    if stands["paused"]:
        office.do("UPDATE subscription SET paused_at = now() WHERE id = :id", id=number)
    if stands["silenced"]:
        suppress(office, email, stands["silenced"])


def wants(stands: dict) -> bool:
    """Tell whether somebody wants this newsletter, at an address that may be broken."""
    broken = {None, "bounce", "soft_bounce", "invalid"}
    return (stands["has"] and not stands["left"] and not stands["paused"]) and stands[
        "silenced"
    ] in broken


def said_goodbye(stands: dict) -> bool:
    word = {SuppressionReason.COMPLAINT, SuppressionReason.UNSUBSCRIBE}
    return stands["has"] and (stands["left"] or stands["silenced"] in word)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(kept=STANDS, other=STANDS)
@example(kept=WANTS, other={**WANTS, "silenced": SuppressionReason.COMPLAINT})
@example(kept={**WANTS, "has": False}, other={**WANTS, "silenced": SuppressionReason.MANUAL})
def test_a_merge_wins_nobody_back_and_mails_nobody_who_did_not_want_it(office, kept, other):
    office.clear()
    settle(office, KEEP, kept)
    settle(office, OTHER, other)

    office.merge(KEEP, OTHER)

    mailed = (KEEP, "technology") in office.mailable
    assert not mailed or ((wants(kept) or wants(other)) and not kept["silenced"])
    assert not (mailed and (said_goodbye(kept) or said_goodbye(other)))
    assert not {email for email, _ in office.mailable} & {OTHER}
    if wants(kept) and not kept["silenced"] and not said_goodbye(other):
        assert mailed  # and nobody is lost


def come_back(office: Office, newsletter: str) -> None:
    """Let the other's owner sign up under their own address again."""
    signups = SignUps(PostgresSignUps(office.house.engine))
    wanted = Wanted(
        newsletter=newsletter,
        email=OTHER,
        topics=TopicSet.of([]),
        zone="UTC",
        frequency=Frequency.DAILY,
    )
    evidence, hour = Evidence(via="test"), timedelta(hours=1)
    asked = signups.ask(wanted, evidence, Limits(), lasts=hour, now=office.now)
    assert asked.signup_id
    PostgresSignUps(office.house.engine).confirm(asked.signup_id, evidence, at=office.now)


def test_old_links_still_say_goodbye_though_the_other_came_back_for_another_newsletter(
    office: Office,
):
    for newsletter in ("technology", "markets"):
        office.add(OTHER, newsletter)
    link = office.link(OTHER)
    office.merge(office_keeps(office), OTHER)
    come_back(office, "markets")
    assert office.mailable == {(KEEP, "technology"), (KEEP, "markets"), (OTHER, "markets")}
    found = office.house.subscriptions.by_token(Purpose.UNSUBSCRIBE, link)
    assert found.id == office.subscription(KEEP).id

    office.house.subscriptions.leave(link, {"technology"}, now=office.now, source="link")

    assert office.mailable == {(KEEP, "markets"), (OTHER, "markets")}


def test_what_the_other_came_back_for_is_their_own(office: Office):
    office.add(KEEP)
    office.add(OTHER)
    link = office.link(OTHER)
    office.merge(KEEP, OTHER)
    come_back(office, "technology")

    office.house.subscriptions.leave(link, {"technology"}, now=office.now, source="link")

    assert office.mailable == {(KEEP, "technology")}


def test_who_came_back_and_is_merged_again_ends_nothing_that_had_moved_before(office: Office):
    for newsletter in ("technology", "markets"):
        office.add(OTHER, newsletter)
    link = office.link(OTHER)
    office.merge(office_keeps(office), OTHER)
    come_back(office, "markets")

    office.merge(KEEP, OTHER)

    assert office.mailable == {(KEEP, "technology"), (KEEP, "markets")}
    office.house.subscriptions.leave(link, {"technology"}, now=office.now, source="link")
    assert office.mailable == {(KEEP, "markets")}
