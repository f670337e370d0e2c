"""Mailboxes that refuse too often: counted, suppressed, and given another start."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.core.events import SOFT_LIMIT, SOFT_WINDOW, is_worn_out
from subscribers.model import SuppressionReason
from tests.subscribers.suppressions.conftest import START, Account

pytestmark = pytest.mark.postgres

LETTERS = st.lists(st.booleans(), min_size=1, max_size=12)


def test_three_of_five_are_too_many_and_letters_that_arrive_push_bounces_out():
    assert (SOFT_LIMIT, SOFT_WINDOW) == (3, 5)
    yes, no = True, False
    assert not is_worn_out([])
    assert not is_worn_out([yes, yes])
    assert is_worn_out([yes, yes, yes])
    assert is_worn_out([no, yes, no, yes, no, yes, no])
    assert not is_worn_out([yes, yes, no, no, no, yes, yes])


@given(LETTERS, st.integers(0, 11))
def test_more_bad_news_never_makes_a_mailbox_better(letters, place):
    more = [soft or number == place for number, soft in enumerate(letters)]
    assert is_worn_out(more) >= is_worn_out(letters)


@given(LETTERS, LETTERS)
def test_another_letter_never_unmakes_what_was_too_much(letters, later):
    assert is_worn_out(letters + later) >= is_worn_out(letters)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(LETTERS, min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_the_store_finds_who_is_worn_out_as_the_rule_does(account: Account, population, dice):
    length = max(map(len, population))
    letters = [one + [False] * (length - len(one)) for one in population]
    account.decide(readers=len(letters), letters=length)
    events = [
        account.soft(letter + 1, reader)
        for reader, one in enumerate(letters)
        for letter, soft in enumerate(one)
        if soft
    ]
    dice.shuffle(events)

    account.receive(*events[: len(events) // 2])
    account.receive(*events[len(events) // 2 :])

    expected = [SuppressionReason.SOFT_BOUNCE if is_worn_out(one) else None for one in letters]
    assert [account.reason(reader) for reader in range(len(letters))] == expected


def test_a_suppression_for_soft_bounces_dates_from_the_last_of_them(account: Account):
    account.decide(letters=3)
    account.receive(account.soft(1), account.soft(3))
    assert account.reason() is None

    account.receive(account.soft(2))

    found = account.container.subscriptions.suppression("r0@example.com")
    assert found is not None
    assert found.reason is SuppressionReason.SOFT_BOUNCE
    assert found.since == START + timedelta(minutes=3)


def test_one_letter_that_is_refused_again_and_again_counts_once(account: Account):
    account.receive(*(account.soft(1) for _ in range(SOFT_WINDOW)))
    assert account.reason() is None


def test_letters_that_were_never_sent_are_not_counted_as_arrived(account: Account):
    account.decide(letters=8)
    account.rows(
        "UPDATE delivery SET skipped = 'suppressed' WHERE issue_id IN (2, 3, 4) RETURNING 1"
    )
    account.rows(
        "UPDATE delivery SET refused = 'no such name' WHERE issue_id IN (5, 6) RETURNING 1"
    )

    account.receive(account.soft(1), account.soft(7), account.soft(8))

    assert account.reason() is SuppressionReason.SOFT_BOUNCE


def test_a_block_for_our_reputation_never_costs_a_reader(account: Account):
    account.decide(letters=5)
    for letter in range(1, 6):
        account.receive(
            account.event(
                "bounce", letter=letter, type="blocked", bounce_classification="Reputation"
            )
        )
    assert account.mailable == ["r0@example.com"]


def test_a_heavier_reason_takes_the_place_of_soft_bounces(account: Account):
    account.decide(letters=4)
    account.receive(*(account.soft(letter) for letter in (1, 2, 3)))
    account.receive(account.event("bounce", letter=4, type="bounce"))
    assert account.reason() is SuppressionReason.BOUNCE


def test_after_a_lift_the_count_begins_anew(account: Account):
    account.decide(letters=6)
    shown = [account.soft(letter) for letter in (1, 2, 3)]
    account.receive(*shown)
    account.container.clock.pass_time(hours=1)
    account.container.suppression_sync.lift(
        "r0@example.com", because="mailbox was full", by="operator"
    )

    later = int(account.container.clock.now().timestamp()) + 60
    account.receive(
        *shown, account.soft(4) | {"timestamp": later}, account.soft(5) | {"timestamp": later}
    )
    assert account.reason() is None
