"""What news of a letter does: to its delivery, its batch, its reader; on real PostgreSQL."""

import itertools
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from newsletter.adapters.sendgrid.webhook import SendGridEvents
from newsletter.core.delivery import (
    Accepted,
    Claim,
    DeliveryState,
    Outcome,
    Unknown,
    advance,
)
from newsletter.core.events import CONSEQUENCES, EventKind
from newsletter.core.issue_totals import Sums
from newsletter.core.stored import IssueState
from newsletter.errors import EventNotAuthentic
from newsletter.ports import KeptEvents
from newsletter.services.event_intake import Feedback
from subscribers.model import SubscriptionStatus, SuppressionReason
from tests.house import TODAY, TestHouse, open_house
from tests.signing import Seal, body_of

pytestmark = pytest.mark.postgres

SEAL = Seal()
READERS = [f"r{n}@example.com" for n in range(6)]  #: two batches of three
FIRST = READERS[0]
_serial = itertools.count()


@dataclass
class Desk:
    """A house whose issue is out, and the webhook's way into it."""

    house: TestHouse
    feedback: Feedback

    def hear(self, *events: dict[str, Any]) -> KeptEvents:
        body = body_of(*events)
        return self.feedback.accept(body, SEAL.headers(body))

    def event(self, word: str, email: str = FIRST, **more: Any) -> dict[str, Any]:
        """Return an event of this reader's delivery, under an id of its own."""
        claim, delivery_id = self._delivery(email)
        own = {"nl_delivery": str(delivery_id), "nl_attempt": claim.attempt_id}
        event_id = f"event-{next(_serial)}"
        posted = {"email": email, "event": word, "timestamp": 1795000000, "sg_event_id": event_id}
        return posted | own | more

    def _delivery(self, email: str) -> tuple[Claim, int]:
        claims = (claim for _, _, claim in self.house.mailer.asked)
        return next((c, r.delivery_id) for c in claims for r in c.recipients if r.email == email)

    def rows(self, sql: str) -> list[Any]:
        with self.house.engine.begin() as connection:
            return list(connection.execute(text(sql)))

    def state(self, email: str = FIRST) -> DeliveryState:
        _, delivery_id = self._delivery(email)
        [row] = self.rows(f"SELECT state FROM delivery WHERE id = {delivery_id}")
        return DeliveryState(row.state)

    def status(self, email: str = FIRST) -> SubscriptionStatus:
        [subscription] = self.house.subscriptions.by_email(email)
        return subscription.status

    def suppressed(self, email: str = FIRST) -> SuppressionReason | None:
        found = self.house.subscriptions.suppressed(email)
        return found.reason if found else None

    @property
    def sums(self) -> Sums:
        filed = self.house.publishing.issue(self.house.newsletter, TODAY)
        return self.house.inquiry.account(filed).sums

    def everything(self) -> list[Any]:
        """Return all that events may change, but for the time they came."""
        tables = ("delivery", "batch", "attempt", "suppression", "consent", "subscription")
        return [self.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]


@pytest.fixture
def open_desk(engine: Engine, tmp_path: Path) -> Callable[..., Desk]:
    def open_(*answers: Any, readers: list[str] = READERS) -> Desk:
        """Return a desk whose issue goes out to these readers, and meets these answers."""
        house = open_house(engine)
        house.mailer.answers = list(answers)
        house.receive("chips")
        house.subscribe(tmp_path, dict.fromkeys(readers, ""))
        house.post()
        return Desk(house, feedback_of(house))

    return open_


def feedback_of(house: TestHouse) -> Feedback:
    return Feedback(
        source=SendGridEvents(SEAL.public_key),
        events=house.events,
        subscriptions=house.subscriptions,
        clock=house.clock,
    )


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    return open_desk()


#: What an event is, and the rung it lifts its own delivery to; nothing follows for the reader.
PASSING = [
    ("processed", {}, DeliveryState.PROCESSED),
    ("deferred", {"response": "451 later"}, DeliveryState.DEFERRED),
    ("delivered", {"response": "250 OK"}, DeliveryState.DELIVERED),
    ("open", {"sg_machine_open": True}, DeliveryState.DELIVERED),
    ("open", {"sg_machine_open": False}, DeliveryState.OPENED),
    ("click", {"url": "https://example.org/"}, DeliveryState.CLICKED),
    ("click", {"useragent": "curl/8.5.0"}, DeliveryState.DELIVERED),
    ("bounce", {"type": "blocked", "reason": "452 mailbox full"}, DeliveryState.BLOCKED),
    ("bounce", {"type": "blocked", "bounce_classification": "Content"}, DeliveryState.BLOCKED),
    ("bounce", {"type": "expired"}, DeliveryState.BLOCKED),
    ("dropped", {"reason": "Spam Content"}, DeliveryState.DROPPED),
    ("dropped", {"reason": "Invalid SMTPAPI header"}, DeliveryState.DROPPED),
    ("group_resubscribe", {}, DeliveryState.SILENT),
    ("read aloud", {}, DeliveryState.SILENT),
]


def test_news_of_one_letter_says_nothing_of_its_reader(open_desk):
    readers = [f"s{n}@example.com" for n in range(len(PASSING))]
    desk = open_desk(readers=readers)

    for email, (word, more, _) in zip(readers, PASSING, strict=True):
        assert len(desk.hear(desk.event(word, email, **more)).new) == 1

    assert [desk.state(email) for email in readers] == [state for _, _, state in PASSING]
    assert desk.house.subscriptions.counts("technology").mailable == len(readers)


#: What an event is, and what follows from it: a suppression, and how the subscription stands.
LASTING = [
    ("bounce", {"type": "bounce"}, "bounce", "active"),
    ("dropped", {"reason": "Bounced Address"}, "bounce", "active"),
    ("dropped", {"reason": "Invalid"}, "invalid", "active"),
    ("dropped", {"reason": "Spam Reporting Address"}, "complaint", "active"),
    ("dropped", {"reason": "Unsubscribed Address"}, None, "ended"),
    ("unsubscribe", {}, None, "ended"),
    ("group_unsubscribe", {}, None, "ended"),
    ("spamreport", {}, "complaint", "ended"),
]


def test_lasting_news_is_heard_for_every_letter_to_come(open_desk):
    readers = [f"s{n}@example.com" for n in range(len(LASTING))]
    desk = open_desk(readers=[*readers, FIRST])

    for email, (word, more, _, _) in zip(readers, LASTING, strict=True):
        desk.hear(desk.event(word, email, **more))

    found = [(desk.suppressed(email), desk.status(email)) for email in readers]
    assert found == [(suppressed, status) for _, _, suppressed, status in LASTING]
    assert desk.house.subscriptions.counts("technology").mailable == 1  # FIRST heard nothing


def test_a_goodbye_is_not_taken_back_by_an_event(desk):
    desk.hear(desk.event("unsubscribe"))
    desk.hear(desk.event("group_resubscribe"), desk.event("delivered"))

    assert desk.status() is SubscriptionStatus.ENDED


WORDS = st.sampled_from(list(EventKind))


@given(st.lists(WORDS, min_size=1), st.randoms(use_true_random=False))
def test_the_ladder_knows_neither_order_nor_repeats(kinds, dice):
    states = [CONSEQUENCES[kind].state for kind in kinds]
    again = states + dice.choices(states, k=3)
    dice.shuffle(again)

    assert reduce(advance, again) == reduce(advance, states) == max(states)


def test_any_order_in_any_portions_ends_alike(open_desk):
    readers = [f"s{n:02}@example.com" for n in range(24)]
    desk, dice = open_desk(readers=readers), random.Random(7)
    words = ["processed", "deferred", "delivered", "open", "click", "unsubscribe", "spamreport"]
    posted = []
    for email in readers:
        events = [desk.event(word, email) for word in words]
        posted += events + dice.choices(events, k=2)
    dice.shuffle(posted)

    while posted:
        size = dice.randint(1, 40)
        desk.hear(*posted[:size])
        posted = posted[size:]

    outcomes = {(desk.state(r), desk.status(r), desk.suppressed(r)) for r in readers}
    assert outcomes == {
        (DeliveryState.COMPLAINED, SubscriptionStatus.ENDED, SuppressionReason.COMPLAINT)
    }
    [kept] = desk.rows("SELECT count(*) FROM delivery_event")
    assert kept.count == len(readers) * len(words)


def test_a_replay_changes_nothing(desk):
    events = [desk.event(word) for word in ("delivered", "click", "bounce", "spamreport")]
    desk.hear(*events)
    before = desk.everything()
    desk.house.clock.pass_time(hours=5)

    kept = desk.hear(*events, *reversed(events))

    assert (kept.new, kept.repeated, kept.settled) == ((), 8, 0)
    assert desk.everything() == before


def test_a_replay_under_new_ids_changes_nothing_but_the_record_of_events(desk):
    words = ("delivered", "bounce", "spamreport")
    desk.hear(*(desk.event(word) for word in words))
    before = desk.everything()
    desk.house.clock.pass_time(hours=5)

    desk.hear(*(desk.event(word) for word in words))

    assert desk.everything() == before


def test_one_event_proves_a_whole_unknown_batch(open_desk):
    desk = open_desk(Unknown(reason="the line went dead"))
    assert (desk.sums.unknown, desk.sums.accepted) == (3, 3)
    lost = desk.house.mailer.asked[0][2]

    kept = desk.hear(desk.event("processed", lost.recipients[1].email))

    assert kept.settled == 1
    assert (desk.sums.unknown, desk.sums.accepted) == (0, 6)
    assert desk.sums.add_up


def test_an_event_of_another_batch_proves_nothing(open_desk):
    desk = open_desk(Unknown(reason="the line went dead"))
    other = desk.house.mailer.asked[1][2]

    kept = desk.hear(desk.event("delivered", other.recipients[0].email))

    assert (kept.settled, desk.sums.unknown) == (0, 3)


@pytest.mark.parametrize("answer", [Unknown(reason="the line went dead"), Accepted(message_id="m")])
def test_news_may_overtake_the_answer(open_desk, engine, answer):
    feedback, settled = feedback_of(open_house(engine)), []

    def tell_and_answer(claim: Claim) -> Outcome:
        body = body_of({"event": "processed", "nl_attempt": claim.attempt_id})
        settled.append(feedback.accept(body, SEAL.headers(body)).settled)
        return answer

    desk = open_desk(tell_and_answer, tell_and_answer)

    assert settled == [1, 1]
    assert desk.sums.accepted == len(READERS)
    assert desk.house.publishing.issue(desk.house.newsletter, TODAY).state is IssueState.SENT
    assert {row.outcome for row in desk.rows("SELECT outcome FROM attempt")} == {"accepted"}


def test_news_of_a_delivery_nobody_knows_harms_nothing(desk):
    before = desk.everything()
    strange = {"nl_delivery": "9" * 18, "nl_attempt": "nobody's"}
    unnamed = {"nl_delivery": None, "nl_attempt": None}

    kept = desk.hear(
        desk.event("spamreport") | strange, desk.event("bounce") | unnamed, desk.event("delivered")
    )

    assert len(kept.new) == 3
    assert desk.state() is DeliveryState.DELIVERED
    assert (desk.status(), desk.suppressed()) == (SubscriptionStatus.ACTIVE, None)
    assert desk.everything()[1:] == before[1:]


POISON = [
    {"reason": "nul \x00 within"},
    {"reason": r"spelled \u0000, not meant"},
    {"reason": "half \ud83d a character"},
    {"half \udc00 key\x00": 1},
    {"sg_event_id": "nul\x00"},
    {"nl_attempt": "nul\x00"},
    {"attempt": float("inf"), "status": float("nan")},
    {"timestamp": 253402300799},
    {"nested": [[{"deep": ["\x00"]}]]},
]


def test_a_poisonous_event_is_kept_beside_its_neighbours(open_desk):
    readers = [f"s{n}@example.com" for n in range(len(POISON))]
    desk = open_desk(readers=readers)

    for email, poison in zip(readers, POISON, strict=True):
        kept = desk.hear(
            desk.event("processed", readers[0]) | poison, desk.event("delivered", email)
        )
        assert len(kept.new) == 2, poison

    assert {desk.state(email) for email in readers} == {DeliveryState.DELIVERED}


def test_forged_news_is_not_even_kept(desk):
    body = body_of(desk.event("spamreport"))
    with pytest.raises(EventNotAuthentic):
        desk.feedback.accept(body, Seal().headers(body))

    assert desk.rows("SELECT * FROM delivery_event") == []
    assert desk.status() is SubscriptionStatus.ACTIVE


def test_what_came_is_counted_by_kind(desk):
    delivered = desk.event("delivered")
    desk.hear(delivered, delivered, desk.event("read aloud"), desk.event("open"))
    with pytest.raises(EventNotAuthentic):
        desk.feedback.accept(b"[]", {})

    assert desk.feedback.counters.values() == {
        "batches_settled": 0,
        "events_delivered": 1,
        "events_opened": 1,
        "events_repeated": 1,
        "events_unknown": 1,
        "posts": 1,
        "posts_refused": 1,
    }


def test_a_post_larger_than_sendgrids_largest_is_taken_whole(desk):
    events = [desk.event("deferred", response="4" * 500) for _ in range(1600)]
    assert len(body_of(*events)) > 2**20

    assert len(desk.hear(*events).new) == 1600


def test_posts_that_come_at_once_wait_for_each_other_and_never_lock_each_other_out(desk):
    words = ("processed", "delivered", "open", "click", "bounce", "spamreport")
    events = [desk.event(word, email) for word in words for email in READERS]
    dice = random.Random(5)
    portions = [dice.sample(events, k=len(events)) for _ in range(12)]

    with ThreadPoolExecutor(4) as threads:
        kept = list(threads.map(lambda portion: desk.hear(*portion), portions))

    assert sum(len(one.new) for one in kept) == len(events)
    assert {desk.state(email) for email in READERS} == {DeliveryState.COMPLAINED}
    assert {desk.status(email) for email in READERS} == {SubscriptionStatus.ENDED}


def test_news_of_an_address_silences_that_one_and_not_the_one_its_reader_moved_to(desk: Desk):
    bounce, complaint = desk.event("bounce", type="bounce"), desk.event("spamreport")
    moved = "UPDATE subscriber SET email = :new, email_key = :new WHERE email = :old"
    with desk.house.engine.begin() as connection:
        connection.execute(text(moved), {"new": "moved@example.com", "old": FIRST})

    desk.hear(bounce)
    assert (desk.suppressed(FIRST), desk.suppressed("moved@example.com")) == (
        SuppressionReason.BOUNCE,
        None,
    )
    desk.hear(complaint)
    assert desk.status("moved@example.com") is SubscriptionStatus.ENDED
