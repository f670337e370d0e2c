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
from tests.subscribers.suppressions.conftest import START, Account, listed

pytestmark = pytest.mark.postgres

MANUAL, BOUNCE, COMPLAINT = (
    SuppressionReason.MANUAL,
    SuppressionReason.BOUNCE,
    SuppressionReason.COMPLAINT,
)


def test_what_is_added_by_hand_says_who_when_and_why(account: Account):
    stands = account.container.suppression_sync.add(
        "R0@Example.com", MANUAL, note="asked by phone", by="operator"
    )

    assert (stands.email, stands.reason, stands.since) == ("r0@example.com", MANUAL, START)
    assert (stands.source, stands.note) == ("operator", "asked by phone")
    assert account.mailable == []
    [decision] = account.container.decisions.about(decisions_about(stands))
    assert (decision.actor, decision.verb) == ("operator", "suppressed")


def test_what_is_no_address_is_not_added(account: Account):
    with pytest.raises(InvalidAddress):
        account.container.suppression_sync.add("nobody", MANUAL, note="", by="operator")
    assert account.rows("SELECT * FROM suppression") == []


def test_a_lighter_reason_added_by_hand_leaves_the_weightier_one(account: Account):
    account.receive(account.event("spamreport"))

    stands = account.container.suppression_sync.add(
        "r0@example.com", MANUAL, note="", by="operator"
    )

    assert stands.reason is COMPLAINT


def test_the_list_is_shown_by_reason_and_by_part_of_an_address_the_latest_first(account: Account):
    account.container.subscriptions.suppress(
        [
            listed(BOUNCE, 1),
            listed(BOUNCE, 2, START + timedelta(days=1)),
            listed(MANUAL, 3, domain="example.org"),
        ]
    )

    def shown(**choice: object) -> list[str]:
        found = account.container.subscriptions.suppressions(**choice)  # type: ignore[arg-type]
        return [one.email for one in found]

    assert shown() == ["r2@example.com", "r1@example.com", "r3@example.org"]
    assert shown(reason=BOUNCE) == ["r2@example.com", "r1@example.com"]
    assert shown(part="@Example.ORG") == ["r3@example.org"]
    assert shown(limit=1) == ["r2@example.com"]
    assert shown(part="%") == []
    counts = account.container.subscriptions.suppression_counts()
    assert list(counts) == list(SuppressionReason)
    assert {reason: count for reason, count in counts.items() if count} == {BOUNCE: 2, MANUAL: 1}


def test_lifting_needs_a_reason_and_keeps_it(account: Account):
    account.receive(account.event("bounce", type="bounce"))
    account.container.clock.pass_time(hours=1)

    with pytest.raises(NotAllowed, match="say why"):
        account.container.suppression_sync.lift("r0@example.com", because="  ", by="operator")
    assert account.reason() is BOUNCE
    lifted = account.container.suppression_sync.lift(
        "R0@example.com", because="mailbox is back", by="operator"
    )

    assert account.mailable == ["r0@example.com"]
    [decision] = account.container.decisions.about(decisions_about(lifted))
    assert (decision.actor, decision.verb) == ("operator", "lifted")
    assert decision.detail["because"] == "mailbox is back"
    assert decision.detail["reason"] == "bounce"
    assert "example.com" not in str(account.rows("SELECT * FROM decision"))


def test_nothing_is_lifted_from_an_address_that_is_not_listed(account: Account):
    with pytest.raises(NoSuchSuppression):
        account.container.suppression_sync.lift("r0@example.com", because="a slip", by="operator")
    assert account.rows("SELECT * FROM decision") == []


@pytest.mark.parametrize("reason", sorted(OWNER_REASONS))
def test_what_the_owner_said_is_lifted_only_when_that_is_meant(account: Account, reason):
    account.container.subscriptions.suppress([listed(reason)])

    with pytest.raises(SuppressionNotLifted):
        account.container.suppression_sync.lift(
            "r0@example.com", because="they wrote to us", by="operator"
        )
    assert (account.reason(), account.mailable) == (reason, [])

    account.container.suppression_sync.lift(
        "r0@example.com", because="they wrote to us", by="operator", even_complaint=True
    )
    assert account.mailable == ["r0@example.com"]


def test_lifting_a_complaint_leaves_the_subscription_ended(account: Account):
    account.receive(account.event("spamreport"))
    account.container.suppression_sync.lift(
        "r0@example.com", because="a test", by="operator", even_complaint=True
    )
    assert account.mailable == []


def test_old_news_posted_again_does_not_undo_a_lift_and_new_news_does(account: Account):
    bounce = account.event("bounce", type="bounce")
    account.receive(bounce)
    account.container.clock.pass_time(hours=1)
    account.container.suppression_sync.lift(
        "r0@example.com", because="mailbox is back", by="operator"
    )

    account.receive(bounce, bounce | {"sg_event_id": "repeated"})
    assert account.reason() is None
    later = int(account.container.clock.now().timestamp()) + 1
    account.receive(account.event("bounce", type="bounce", timestamp=later))
    assert account.reason() is BOUNCE


def test_new_news_counts_also_when_old_news_comes_after_it(account: Account):
    bounce = account.event("bounce", type="bounce")
    account.receive(bounce)
    account.container.clock.pass_time(hours=1)
    account.container.suppression_sync.lift(
        "r0@example.com", because="mailbox is back", by="operator"
    )

    later = int(account.container.clock.now().timestamp()) + 1
    account.receive(account.event("bounce", type="bounce", timestamp=later), bounce)

    assert account.reason() is BOUNCE


def test_a_complaint_from_before_the_lift_of_a_bounce_still_counts(account: Account):
    account.receive(account.event("bounce", type="bounce"))
    account.container.clock.pass_time(hours=1)
    account.container.suppression_sync.lift(
        "r0@example.com", because="mailbox is back", by="operator"
    )

    account.receive(account.event("spamreport"))

    assert (account.reason(), account.mailable) == (COMPLAINT, [])


REASONS = st.sampled_from(LADDER)
HOURS = st.integers(0, 3)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lifts=st.dictionaries(REASONS, HOURS, max_size=2), said=REASONS, hour=HOURS)
@example(lifts={BOUNCE: 1}, said=BOUNCE, hour=1)
@example(lifts={BOUNCE: 1}, said=BOUNCE, hour=2)
@example(lifts={BOUNCE: 1}, said=COMPLAINT, hour=0)
def test_the_store_answers_old_news_as_the_rule_does(account: Account, lifts, said, hour):
    account.decide()
    at = {reason: START + timedelta(hours=when) for reason, when in lifts.items()}
    for reason, when in at.items():
        store_lift(account, reason, when)

    since = START + timedelta(hours=hour)
    kept = account.container.subscriptions.suppress([listed(said, since=since)])

    assert kept == (0 if is_answered(said, since, at) else 1)


def store_lift(account: Account, reason: SuppressionReason, when) -> None:
    since = when + timedelta(days=1)  # news that no earlier lift has answered
    assert account.container.subscriptions.suppress([listed(reason, since=since)]) == 1
    account.container.subscriptions.lift("r0@example.com", now=when, even_complaint=True)
