"""Two subscribers made one: no unsubscribe is lost, nobody is won back, the record stands."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from subscribers.addresses import read_address
from subscribers.db.transaction import transaction
from subscribers.errors import NotAdded, NotMerged
from subscribers.model import (
    Choices,
    Frequency,
    Purpose,
    SubscriptionStatus,
    Suppression,
    SuppressionReason,
    TopicSet,
)
from subscribers.signup.confirming import confirm
from subscribers.signup.model import ConsentProof, SignUpLimits
from subscribers.signup.service import SignUps
from tests.subscribers.records.conftest import RecordsContainer

pytestmark = pytest.mark.postgres

KEEP, OTHER = "keep@example.com", "other@example.com"
ENDED, ACTIVE = SubscriptionStatus.ENDED, SubscriptionStatus.ACTIVE


def suppress(container: RecordsContainer, email: str, reason: SuppressionReason) -> None:
    said = Suppression(email=email, reason=reason, source="test", since=container.now)
    container.subscriptions.suppress([said])


def test_what_only_the_other_had_moves_and_where_both_had_it_the_kept_choice_stands(
    container: RecordsContainer,
):
    container.add(KEEP, "technology", "chips")
    container.records.tag(
        [container.add(OTHER, "technology", "policy")], ["vip"], actor="a", now=container.now
    )
    container.add(OTHER, "markets", "bonds", name="Reader")

    container.merge(KEEP, OTHER)

    assert container.mailable == {(KEEP, "technology"), (KEEP, "markets")}
    kept = container.subscription(KEEP)
    assert (kept.topics.slugs, kept.tags, kept.name) == ({"chips"}, ("vip",), "Reader")
    assert container.subscription(KEEP, "markets").topics.slugs == {"bonds"}
    person = container.records.person(OTHER)
    assert (person.email, person.other_addresses) == (KEEP, (OTHER,))


def test_an_unsubscribe_through_either_old_link_ends_the_merged_subscription(
    container: RecordsContainer,
):
    for mine, newsletter in ((KEEP, "technology"), (OTHER, "technology")):
        container.add(mine, newsletter)
    links = [container.link(KEEP), container.link(OTHER)]
    container.merge(KEEP, OTHER)
    for link in links:
        found = container.subscriptions.by_token(Purpose.UNSUBSCRIBE, link)
        assert found.id == container.subscription(KEEP).id
        said = {"now": container.now, "source": "link"}

        remembered = container.subscriptions.unsubscribe_by_link(link, {"technology"}, **said)

        assert remembered == "technology"
        assert container.mailable == set()
        container.subscriptions.resubscribe(found.id, now=container.now, source="page")
        assert container.mailable == {(KEEP, "technology")}


def test_a_complaint_about_an_old_letter_ends_what_its_subscription_became(
    container: RecordsContainer,
):
    old = container.add(OTHER)
    container.merge(office_keeps(container), OTHER)

    container.subscriptions.unsubscribe([old], now=container.now, source="delivery event")

    assert container.mailable == {(KEEP, "markets")}


def office_keeps(container: RecordsContainer) -> str:
    container.add(KEEP, "markets")
    return KEEP


def test_merged_again_the_oldest_link_still_unsubscribes(container: RecordsContainer):
    for email in (KEEP, OTHER, "third@example.com"):
        container.add(email)
    oldest = container.link("third@example.com")
    container.merge(OTHER, "third@example.com")
    container.merge(KEEP, OTHER)

    container.subscriptions.unsubscribe_by_link(
        oldest, {"technology"}, now=container.now, source="link"
    )

    assert container.mailable == set()
    assert container.records.person(KEEP).other_addresses == (OTHER, "third@example.com")


def test_consent_stays_where_it_was_written_and_is_read_with_who_was_kept(
    container: RecordsContainer,
):
    container.add(KEEP)
    container.add(OTHER)
    before = container.query("SELECT * FROM consent ORDER BY id")
    container.merge(KEEP, OTHER)

    assert container.query("SELECT * FROM consent ORDER BY id") == before
    entries = container.records.entries(container.records.id_of(KEEP))
    assert [(one.email, one.what) for one in entries] == [
        (KEEP, "imported"),
        (OTHER, "imported"),
        (KEEP, "merged"),
    ]


def test_by_hand_nothing_is_added_to_an_address_that_was_merged(container: RecordsContainer):
    container.add(KEEP)
    container.add(OTHER)
    container.merge(KEEP, OTHER)
    for newsletter in ("technology", "markets"):
        with pytest.raises(NotAdded, match=KEEP):
            container.add(OTHER, newsletter)


def test_each_entry_names_the_address_it_was_said_of(container: RecordsContainer):
    """Also after the address changed, and the merged one's was taken over."""
    container.add(KEEP)
    container.add(OTHER)
    container.merge(KEEP, OTHER)
    keep_id = container.records.id_of(KEEP)
    container.query("UPDATE subscriber SET email = 'x', email_key = 'x' WHERE email = :m", m=OTHER)
    container.query(
        "UPDATE subscriber SET email = :m, email_key = :m WHERE email = :k", m=OTHER, k=KEEP
    )
    container.query(
        "INSERT INTO change (subscriber_id, at, actor, what, detail) VALUES (:id, :at, "
        "'subscriber', 'address', jsonb_build_object('from', CAST(:k AS text)))",
        id=keep_id,
        at=container.now,
        k=KEEP,
    )
    emails = [one.email for one in container.records.entries(keep_id)]
    assert emails == [KEEP, OTHER, KEEP, OTHER]


def test_who_was_merged_is_not_merged_again_and_nobody_with_themselves(container: RecordsContainer):
    container.add(KEEP)
    container.add(OTHER)
    other_id = container.records.id_of(OTHER)
    container.merge(KEEP, OTHER)
    keep_id = container.records.id_of(KEEP)
    for pair in ((keep_id, other_id), (other_id, keep_id), (keep_id, keep_id)):
        with pytest.raises(NotMerged):
            container.records.merge(*pair, actor="anna", now=container.now)


STANDS = st.fixed_dictionaries(
    {
        "has": st.sampled_from([True, True, True, False]),
        "left": st.sampled_from([False, False, False, True]),
        "paused": st.sampled_from([False, False, False, True]),
        "suppressed": st.sampled_from([*[None] * 6, *SuppressionReason]),
    }
)
WANTS = {"has": True, "left": False, "paused": False, "suppressed": None}


def decide(container: RecordsContainer, email: str, stands: dict) -> None:
    number = container.add(email, "technology" if stands["has"] else "markets")
    if stands["left"]:
        container.subscriptions.unsubscribe([number], now=container.now, source="test")
    if stands["paused"]:
        container.query("UPDATE subscription SET paused_at = now() WHERE id = :id", id=number)
    if stands["suppressed"]:
        suppress(container, email, stands["suppressed"])


def wants(stands: dict) -> bool:
    """Tell whether somebody wants this newsletter, at an address that may be broken."""
    broken = {None, "bounce", "soft_bounce", "invalid"}
    return (stands["has"] and not stands["left"] and not stands["paused"]) and stands[
        "suppressed"
    ] in broken


def unsubscribed(stands: dict) -> bool:
    word = {SuppressionReason.COMPLAINT, SuppressionReason.UNSUBSCRIBE}
    return stands["has"] and (stands["left"] or stands["suppressed"] in word)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(kept=STANDS, other=STANDS)
@example(kept=WANTS, other={**WANTS, "suppressed": SuppressionReason.COMPLAINT})
@example(kept={**WANTS, "has": False}, other={**WANTS, "suppressed": SuppressionReason.MANUAL})
def test_a_merge_wins_nobody_back_and_mails_nobody_who_did_not_want_it(container, kept, other):
    container.clear()
    decide(container, KEEP, kept)
    decide(container, OTHER, other)

    container.merge(KEEP, OTHER)

    mailed = (KEEP, "technology") in container.mailable
    assert not mailed or ((wants(kept) or wants(other)) and not kept["suppressed"])
    assert not (mailed and (unsubscribed(kept) or unsubscribed(other)))
    assert not {email for email, _ in container.mailable} & {OTHER}
    if wants(kept) and not kept["suppressed"] and not unsubscribed(other):
        assert mailed  # and nobody is lost


def come_back(container: RecordsContainer, newsletter: str) -> None:
    """Let the other's owner sign up under their own address again."""
    signups = SignUps(container.engine)
    choices = Choices(topics=TopicSet.of([]), frequency=Frequency.DAILY, name="", zone="UTC")
    evidence, hour = ConsentProof(via="test"), timedelta(hours=1)
    asked = signups.request(
        newsletter,
        read_address(OTHER),
        choices,
        evidence,
        SignUpLimits(),
        lasts=hour,
        now=container.now,
    )
    assert asked.signup_id
    with transaction(container.engine) as session:
        confirm(session, asked.signup_id, evidence, container.now)


def test_old_links_still_unsubscribe_though_the_other_came_back_for_another_newsletter(
    container: RecordsContainer,
):
    for newsletter in ("technology", "markets"):
        container.add(OTHER, newsletter)
    link = container.link(OTHER)
    container.merge(office_keeps(container), OTHER)
    come_back(container, "markets")
    assert container.mailable == {(KEEP, "technology"), (KEEP, "markets"), (OTHER, "markets")}
    found = container.subscriptions.by_token(Purpose.UNSUBSCRIBE, link)
    assert found.id == container.subscription(KEEP).id

    container.subscriptions.unsubscribe_by_link(
        link, {"technology"}, now=container.now, source="link"
    )

    assert container.mailable == {(KEEP, "markets"), (OTHER, "markets")}


def test_what_the_other_came_back_for_is_their_own(container: RecordsContainer):
    container.add(KEEP)
    container.add(OTHER)
    link = container.link(OTHER)
    container.merge(KEEP, OTHER)
    come_back(container, "technology")

    container.subscriptions.unsubscribe_by_link(
        link, {"technology"}, now=container.now, source="link"
    )

    assert container.mailable == {(KEEP, "technology")}


def test_who_came_back_and_is_merged_again_ends_nothing_that_had_moved_before(
    container: RecordsContainer,
):
    for newsletter in ("technology", "markets"):
        container.add(OTHER, newsletter)
    link = container.link(OTHER)
    container.merge(office_keeps(container), OTHER)
    come_back(container, "markets")

    container.merge(KEEP, OTHER)

    assert container.mailable == {(KEEP, "technology"), (KEEP, "markets")}
    container.subscriptions.unsubscribe_by_link(
        link, {"technology"}, now=container.now, source="link"
    )
    assert container.mailable == {(KEEP, "markets")}
