"""The suppression list kept by hand: added to, shown, lifted with a reason."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from newsletter.errors import NotAllowed
from newsletter.services.suppression_sync import decisions_about
from subscribers.errors import InvalidAddress, NoSuchSuppression, SuppressionNotLifted
from subscribers.model import SuppressionReason
from subscribers.rules.suppression import LADDER, OWNER_REASONS, is_answered
from tests.subscribers.suppressions.conftest import START, Town, listed

pytestmark = pytest.mark.postgres

MANUAL, BOUNCE, COMPLAINT = (
    SuppressionReason.MANUAL,
    SuppressionReason.BOUNCE,
    SuppressionReason.COMPLAINT,
)


def test_what_is_added_by_hand_says_who_when_and_why(town: Town):
    stands = town.container.suppression_sync.add(
        "R0@Example.com", MANUAL, note="asked by phone", by="operator"
    )

    assert (stands.email, stands.reason, stands.since) == ("r0@example.com", MANUAL, START)
    assert (stands.source, stands.note) == ("operator", "asked by phone")
    assert town.mailable == []
    [decision] = town.container.decisions.about(decisions_about(stands))
    assert (decision.actor, decision.verb) == ("operator", "suppressed")


def test_what_is_no_address_is_not_added(town: Town):
    with pytest.raises(InvalidAddress):
        town.container.suppression_sync.add("nobody", MANUAL, note="", by="operator")
    assert town.rows("SELECT * FROM suppression") == []


def test_a_lighter_reason_added_by_hand_leaves_the_weightier_one(town: Town):
    town.receive(town.event("spamreport"))

    stands = town.container.suppression_sync.add("r0@example.com", MANUAL, note="", by="operator")

    assert stands.reason is COMPLAINT


def test_the_list_is_shown_by_reason_and_by_part_of_an_address_the_latest_first(town: Town):
    town.container.subscriptions.suppress(
        [
            listed(BOUNCE, 1),
            listed(BOUNCE, 2, START + timedelta(days=1)),
            listed(MANUAL, 3, domain="example.org"),
        ]
    )

    def shown(**choice: object) -> list[str]:
        found = town.container.subscriptions.suppressions(**choice)  # type: ignore[arg-type]
        return [one.email for one in found]

    assert shown() == ["r2@example.com", "r1@example.com", "r3@example.org"]
    assert shown(reason=BOUNCE) == ["r2@example.com", "r1@example.com"]
    assert shown(part="@Example.ORG") == ["r3@example.org"]
    assert shown(limit=1) == ["r2@example.com"]
    assert shown(part="%") == []
    counts = town.container.subscriptions.suppression_counts()
    assert list(counts) == list(SuppressionReason)
    assert {reason: count for reason, count in counts.items() if count} == {BOUNCE: 2, MANUAL: 1}


def test_lifting_needs_a_reason_and_keeps_it(town: Town):
    town.receive(town.event("bounce", type="bounce"))
    town.container.clock.pass_time(hours=1)

    with pytest.raises(NotAllowed, match="say why"):
        town.container.suppression_sync.lift("r0@example.com", because="  ", by="operator")
    assert town.reason() is BOUNCE
    lifted = town.container.suppression_sync.lift(
        "R0@example.com", because="mailbox is back", by="operator"
    )

    assert town.mailable == ["r0@example.com"]
    [decision] = town.container.decisions.about(decisions_about(lifted))
    assert (decision.actor, decision.verb) == ("operator", "lifted")
    assert decision.detail["because"] == "mailbox is back"
    assert decision.detail["reason"] == "bounce"
    assert "example.com" not in str(town.rows("SELECT * FROM decision"))


def test_nothing_is_lifted_from_an_address_that_is_not_listed(town: Town):
    with pytest.raises(NoSuchSuppression):
        town.container.suppression_sync.lift("r0@example.com", because="a slip", by="operator")
    assert town.rows("SELECT * FROM decision") == []


@pytest.mark.parametrize("reason", sorted(OWNER_REASONS))
def test_what_the_owner_said_is_lifted_only_when_that_is_meant(town: Town, reason):
    town.container.subscriptions.suppress([listed(reason)])

    with pytest.raises(SuppressionNotLifted):
        town.container.suppression_sync.lift(
            "r0@example.com", because="they wrote to us", by="operator"
        )
    assert (town.reason(), town.mailable) == (reason, [])

    town.container.suppression_sync.lift(
        "r0@example.com", because="they wrote to us", by="operator", even_complaint=True
    )
    assert town.mailable == ["r0@example.com"]


def test_lifting_a_complaint_leaves_the_subscription_ended(town: Town):
    town.receive(town.event("spamreport"))
    town.container.suppression_sync.lift(
        "r0@example.com", because="a test", by="operator", even_complaint=True
    )
    assert town.mailable == []


def test_old_news_told_again_does_not_undo_a_lift_and_new_news_does(town: Town):
    bounce = town.event("bounce", type="bounce")
    town.receive(bounce)
    town.container.clock.pass_time(hours=1)
    town.container.suppression_sync.lift("r0@example.com", because="mailbox is back", by="operator")

    town.receive(bounce, bounce | {"sg_event_id": "repeated"})
    assert town.reason() is None
    later = int(town.container.clock.now().timestamp()) + 1
    town.receive(town.event("bounce", type="bounce", timestamp=later))
    assert town.reason() is BOUNCE


def test_new_news_is_heard_also_when_old_news_comes_after_it(town: Town):
    bounce = town.event("bounce", type="bounce")
    town.receive(bounce)
    town.container.clock.pass_time(hours=1)
    town.container.suppression_sync.lift("r0@example.com", because="mailbox is back", by="operator")

    later = int(town.container.clock.now().timestamp()) + 1
    town.receive(town.event("bounce", type="bounce", timestamp=later), bounce)

    assert town.reason() is BOUNCE


def test_a_complaint_from_before_the_lift_of_a_bounce_is_still_heard(town: Town):
    town.receive(town.event("bounce", type="bounce"))
    town.container.clock.pass_time(hours=1)
    town.container.suppression_sync.lift("r0@example.com", because="mailbox is back", by="operator")

    town.receive(town.event("spamreport"))

    assert (town.reason(), town.mailable) == (COMPLAINT, [])


REASONS = st.sampled_from(LADDER)
HOURS = st.integers(0, 3)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lifts=st.dictionaries(REASONS, HOURS, max_size=2), said=REASONS, hour=HOURS)
@example(lifts={BOUNCE: 1}, said=BOUNCE, hour=1)
@example(lifts={BOUNCE: 1}, said=BOUNCE, hour=2)
@example(lifts={BOUNCE: 1}, said=COMPLAINT, hour=0)
def test_the_store_answers_old_news_as_the_rule_does(town: Town, lifts, said, hour):
    town.settle()
    at = {reason: START + timedelta(hours=when) for reason, when in lifts.items()}
    for reason, when in at.items():
        store_lift(town, reason, when)

    since = START + timedelta(hours=hour)
    kept = town.container.subscriptions.suppress([listed(said, since=since)])

    assert kept == (0 if is_answered(said, since, at) else 1)


def store_lift(town: Town, reason: SuppressionReason, when) -> None:
    since = when + timedelta(days=1)  # news that no earlier lift has answered
    assert town.container.subscriptions.suppress([listed(reason, since=since)]) == 1
    town.container.subscriptions.lift("r0@example.com", now=when, even_complaint=True)
