"""Late, double, shuffled news ends as news in order does; and nothing revives who unsubscribed."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subscribers.model import SuppressionReason
from tests.subscribers.lists.helpers import import_text
from tests.subscribers.suppressions.conftest import Account, Lists, listed

pytestmark = pytest.mark.postgres

READERS, LETTERS = 2, 4
ONE_DATABASE = [HealthCheck.function_scoped_fixture]

WORDS: list[tuple[str, dict[str, Any]]] = [
    ("processed", {}),
    ("delivered", {"response": "250 OK"}),
    ("deferred", {"response": "451 later"}),
    ("open", {"sg_machine_open": True}),
    ("open", {"sg_machine_open": False}),
    ("click", {}),
    ("bounce", {"type": "blocked", "reason": "452 mailbox full"}),
    ("bounce", {"type": "expired"}),
    ("bounce", {"type": "blocked", "bounce_classification": "Content"}),
    ("bounce", {"type": "bounce"}),
    ("dropped", {"reason": "Bounced Address"}),
    ("dropped", {"reason": "Unsubscribed Address"}),
    ("dropped", {"reason": "Spam Content"}),
    ("spamreport", {}),
    ("unsubscribe", {}),
    ("group_resubscribe", {}),
    ("read aloud", {}),
]
# Soft bounces are drawn more often than their share: it takes three of them to do anything.
WORD = st.sampled_from(WORDS) | st.sampled_from(WORDS[6:8])
NEWS = st.lists(
    st.tuples(WORD, st.integers(0, READERS - 1), st.integers(1, LETTERS)), min_size=1, max_size=14
)


def outcome(account: Account) -> list[Any]:
    """Return all that lasts of news; what is merely on file comes in its own order."""
    return [
        account.rows("SELECT issue_id, place, state FROM delivery ORDER BY 1, 2"),
        account.rows("SELECT email_key, reason FROM suppression ORDER BY 1"),
        account.rows("SELECT id, status FROM subscription ORDER BY id"),
        account.rows("SELECT event_key, kind FROM delivery_event ORDER BY 1"),
    ]


@settings(max_examples=30, deadline=None, suppress_health_check=ONE_DATABASE)
@given(news=NEWS, dice=st.randoms(use_true_random=False))
def test_shuffled_and_repeated_news_in_any_portions_ends_as_news_in_order(
    account: Account, news, dice
):
    account.decide(readers=READERS, letters=LETTERS)
    events = [account.event(word, reader, letter, **more) for (word, more), reader, letter in news]
    for event in events:
        account.receive(event)
    in_order = outcome(account)

    account.decide(readers=READERS, letters=LETTERS)
    shuffled = events + dice.choices(events, k=4)
    dice.shuffle(shuffled)
    while shuffled:
        size = dice.randint(1, len(shuffled))
        account.receive(*shuffled[:size])
        shuffled = shuffled[size:]

    assert outcome(account) == in_order


def perform(account: Account, act: str) -> None:
    match act:
        case "import":
            with tempfile.TemporaryDirectory() as folder:
                content = "email,topics\nR0@Example.com,chips\n"
                import_text(account.container.engine, Path(folder), content)
        case "sync":
            bounce, complaint = SuppressionReason.BOUNCE, SuppressionReason.COMPLAINT
            account.container.suppression_sync.sync(
                Lists(listed(bounce), listed(complaint, 7)), by="clock"
            )
        case "sync of nothing":
            account.container.suppression_sync.sync(Lists(), by="clock")
        case "resubscribe":
            account.receive(account.event("group_resubscribe"))
        case "lift of a bounce":
            if account.reason() is SuppressionReason.BOUNCE:
                account.container.suppression_sync.lift(
                    "r0@example.com", because="it is back", by="operator"
                )
        case "sync of the complaint":
            account.container.suppression_sync.sync(
                Lists(listed(SuppressionReason.COMPLAINT)), by="clock"
            )
        case "sync of the unsubscribe":
            account.container.suppression_sync.sync(
                Lists(listed(SuppressionReason.UNSUBSCRIBE)), by="clock"
            )
        case word:
            more = {"type": "bounce"} if word == "bounce" else {}
            account.receive(account.event(word, **more))
    account.container.clock.pass_time(minutes=10)


ACTS = st.lists(
    st.sampled_from(
        [
            "import",
            "sync",
            "sync of nothing",
            "resubscribe",
            "lift of a bounce",
            "bounce",
            "delivered",
            "click",
        ]
    ),
    max_size=5,
)
UNSUBSCRIBES = st.sampled_from(
    ["spamreport", "unsubscribe", "sync of the complaint", "sync of the unsubscribe"]
)


@settings(max_examples=25, deadline=None, suppress_health_check=ONE_DATABASE)
@given(before=ACTS, ending=UNSUBSCRIBES, after=ACTS)
def test_who_complained_or_left_is_written_to_in_no_order_of_things(
    account: Account, before, ending, after
):
    account.decide()
    for act in (*before, ending):
        perform(account, act)
    for act in after:
        perform(account, act)
        assert "r0@example.com" not in account.mailable
    assert "r0@example.com" not in account.mailable


def test_an_address_known_only_from_sendgrids_list_is_not_revived_by_an_import(account: Account):
    with account.container.engine.begin() as connection:
        connection.exec_driver_sql("TRUNCATE subscriber, subscription")
    perform(account, "sync of the unsubscribe")
    perform(account, "import")
    assert account.mailable == []
