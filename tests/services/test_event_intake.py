"""What news of a letter does: to its delivery, its batch, its reader; on real PostgreSQL."""

import itertools
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from newsletter.core.delivery import (
    Accepted,
    Claim,
    DeliveryState,
    Outcome,
    Refused,
    Remedy,
    Unknown,
    advance,
)
from newsletter.core.events import CONSEQUENCES, EventKind, StoredEvents
from newsletter.core.issue_totals import Sums
from newsletter.core.reconciliation import Resolution
from newsletter.core.stored import IssueStatus
from newsletter.errors import EventNotAuthentic, NotAllowed
from subscribers.model import SubscriptionStatus, SuppressionReason
from tests.container import TODAY, TestContainer, ids_of, open_container
from tests.settings import SEAL
from tests.signing import Seal, body_of

pytestmark = pytest.mark.postgres

READERS = [f"r{n}@example.com" for n in range(6)]  #: two batches of three
FIRST = READERS[0]
_serial = itertools.count()


@dataclass
class SentIssue:
    """An issue that was sent, and the events of its deliveries."""

    container: TestContainer

    def receive(self, *events: dict[str, Any]) -> StoredEvents:
        return self.container.receive_events(*events)

    def event(self, word: str, email: str = FIRST, **more: Any) -> dict[str, Any]:
        """Return an event of this reader's delivery, under an id of its own."""
        claim, place = self._delivery(email)
        own = ids_of(claim) | {"nl_delivery": str(place)}
        event_id = f"event-{next(_serial)}"
        posted = {"email": email, "event": word, "timestamp": 1795000000, "sg_event_id": event_id}
        return posted | own | more

    def _delivery(self, email: str) -> tuple[Claim, int]:
        claims = (claim for _, _, claim in self.container.mailer.asked)
        return next((c, r.place) for c in claims for r in c.recipients if r.email == email)

    def rows(self, sql: str) -> list[Any]:
        with self.container.engine.begin() as connection:
            return list(connection.execute(text(sql)))

    def state(self, email: str = FIRST) -> DeliveryState:
        claim, place = self._delivery(email)
        [row] = self.rows(
            f"SELECT state FROM delivery WHERE issue_id = {claim.issue_id} AND place = {place}"
        )
        return DeliveryState(row.state)

    def status(self, email: str = FIRST) -> SubscriptionStatus:
        [subscription] = self.container.subscriptions.by_email(email)
        return subscription.status

    def suppressed(self, email: str = FIRST) -> SuppressionReason | None:
        found = self.container.subscriptions.suppression(email)
        return found.reason if found else None

    @property
    def sums(self) -> Sums:
        stored = self.container.publishing.issue(self.container.newsletter, TODAY)
        return self.container.deliveries.totals(stored.id).sums

    def everything(self) -> list[Any]:
        """Return all that events may change, but for the time they came."""
        tables = ("delivery", "batch", "attempt", "suppression", "consent", "subscription")
        return [self.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]


@pytest.fixture
def send_issue(engine: Engine, tmp_path: Path) -> Callable[..., SentIssue]:
    def open_(*answers: Any, readers: list[str] = READERS) -> SentIssue:
        """Send an issue to these readers, which meets these answers."""
        container = open_container(engine)
        container.mailer.answers = list(answers)
        container.receive("chips")
        container.subscribe(tmp_path, dict.fromkeys(readers, ""))
        container.send_issue()
        return SentIssue(container)

    return open_


@pytest.fixture
def sent(send_issue: Callable[..., SentIssue]) -> SentIssue:
    return send_issue()


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
    ("group_resubscribe", {}, DeliveryState.NO_EVENTS),
    ("read aloud", {}, DeliveryState.NO_EVENTS),
]


def test_an_event_of_one_letter_says_nothing_of_its_reader(send_issue):
    readers = [f"s{n}@example.com" for n in range(len(PASSING))]
    sent = send_issue(readers=readers)

    for email, (word, more, _) in zip(readers, PASSING, strict=True):
        assert len(sent.receive(sent.event(word, email, **more)).new) == 1

    assert [sent.state(email) for email in readers] == [state for _, _, state in PASSING]
    assert sent.container.subscriptions.counts("technology").mailable == len(readers)


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


def test_lasting_events_count_for_every_letter_to_come(send_issue):
    readers = [f"s{n}@example.com" for n in range(len(LASTING))]
    sent = send_issue(readers=[*readers, FIRST])

    for email, (word, more, _, _) in zip(readers, LASTING, strict=True):
        sent.receive(sent.event(word, email, **more))

    found = [(sent.suppressed(email), sent.status(email)) for email in readers]
    assert found == [(suppressed, status) for _, _, suppressed, status in LASTING]
    assert sent.container.subscriptions.counts("technology").mailable == 1  # FIRST has no event


def test_an_unsubscribe_is_not_undone_by_an_event(sent):
    sent.receive(sent.event("unsubscribe"))
    sent.receive(sent.event("group_resubscribe"), sent.event("delivered"))

    assert sent.status() is SubscriptionStatus.ENDED


WORDS = st.sampled_from(list(EventKind))


@given(st.lists(WORDS, min_size=1), st.randoms(use_true_random=False))
def test_the_ladder_knows_neither_order_nor_repeats(kinds, dice):
    states = [CONSEQUENCES[kind].state for kind in kinds]
    again = states + dice.choices(states, k=3)
    dice.shuffle(again)

    assert reduce(advance, again) == reduce(advance, states) == max(states)


def test_any_order_in_any_portions_ends_alike(send_issue):
    readers = [f"s{n:02}@example.com" for n in range(24)]
    sent, dice = send_issue(readers=readers), random.Random(7)
    words = ["processed", "deferred", "delivered", "open", "click", "unsubscribe", "spamreport"]
    posted = []
    for email in readers:
        events = [sent.event(word, email) for word in words]
        posted += events + dice.choices(events, k=2)
    dice.shuffle(posted)

    while posted:
        size = dice.randint(1, 40)
        sent.receive(*posted[:size])
        posted = posted[size:]

    outcomes = {(sent.state(r), sent.status(r), sent.suppressed(r)) for r in readers}
    assert outcomes == {
        (DeliveryState.COMPLAINED, SubscriptionStatus.ENDED, SuppressionReason.COMPLAINT)
    }
    [kept] = sent.rows("SELECT count(*) FROM delivery_event")
    assert kept.count == len(readers) * len(words)


def test_a_replay_changes_nothing(sent):
    events = [sent.event(word) for word in ("delivered", "click", "bounce", "spamreport")]
    sent.receive(*events)
    before = sent.everything()
    sent.container.clock.pass_time(hours=5)

    kept = sent.receive(*events, *reversed(events))

    assert (kept.new, kept.repeated, kept.reconciled) == ((), 8, 0)
    assert sent.everything() == before


def test_a_replay_under_new_ids_changes_nothing_but_the_record_of_events(sent):
    words = ("delivered", "bounce", "spamreport")
    sent.receive(*(sent.event(word) for word in words))
    before = sent.everything()
    sent.container.clock.pass_time(hours=5)

    sent.receive(*(sent.event(word) for word in words))

    assert sent.everything() == before


def test_one_event_proves_a_whole_unknown_batch(send_issue):
    sent = send_issue(Unknown(reason="the line went dead"))
    assert (sent.sums.unknown, sent.sums.accepted) == (3, 3)
    lost = sent.container.mailer.asked[0][2]

    kept = sent.receive(sent.event("processed", lost.recipients[1].email))

    assert kept.reconciled == 1
    assert (sent.sums.unknown, sent.sums.accepted) == (0, 6)
    assert sent.sums.adds_up


def test_an_event_of_another_batch_proves_nothing(send_issue):
    sent = send_issue(Unknown(reason="the line went dead"))
    other = sent.container.mailer.asked[1][2]

    kept = sent.receive(sent.event("delivered", other.recipients[0].email))

    assert (kept.reconciled, sent.sums.unknown) == (0, 3)


@pytest.mark.parametrize("answer", [Unknown(reason="the line went dead"), Accepted(message_id="m")])
def test_an_event_may_overtake_the_answer(send_issue, engine, answer):
    process, reconciled = open_container(engine), []

    def tell_and_answer(claim: Claim) -> Outcome:
        body = body_of({"event": "processed"} | ids_of(claim))
        reconciled.append(process.event_intake.receive(body, SEAL.headers(body)).reconciled)
        return answer

    sent = send_issue(tell_and_answer, tell_and_answer)

    assert reconciled == [1, 1]
    assert sent.sums.accepted == len(READERS)
    assert (
        sent.container.publishing.issue(sent.container.newsletter, TODAY).state is IssueStatus.SENT
    )
    assert {row.outcome for row in sent.rows("SELECT outcome FROM attempt")} == {"accepted"}


def test_an_event_of_a_delivery_nobody_knows_harms_nothing(sent):
    before = sent.everything()
    strange = {"nl_delivery": "9" * 18, "nl_attempt": "nobody's"}
    unnamed = {"nl_delivery": None, "nl_attempt": None}

    kept = sent.receive(
        sent.event("unsubscribe") | strange, sent.event("open") | unnamed, sent.event("delivered")
    )

    assert len(kept.new) == 3
    assert sent.state() is DeliveryState.DELIVERED
    assert (sent.status(), sent.suppressed()) == (SubscriptionStatus.ACTIVE, None)
    assert sent.everything()[1:] == before[1:]


#: What an event may bear that is not this installation's, and what it is counted as.
FOREIGN = [
    ({"nl_installation": "f" * 16}, "another_installation"),
    ({"nl_installation": None}, "another_installation"),
    ({"nl_attempt": "of another installation"}, "unmatched"),
    ({"nl_attempt": None}, "unmatched"),
    ({"nl_delivery": None}, "unmatched"),
    ({"nl_issue": None}, "unmatched"),
    ({"nl_issue": "99"}, "unmatched"),
    ({"nl_issue": "9" * 18}, "unmatched"),
    ({"nl_delivery": "0"}, "unmatched"),
    ({"nl_delivery": "9" * 18}, "unmatched"),
    ({"nl_installation": None, "nl_delivery": None, "nl_attempt": None}, "without_ids"),
]
SENDGRIDS_WORDS = ("processed", "delivered", "open", "click", "bounce", "spamreport", "unsubscribe")


@pytest.mark.parametrize("ids, origin", FOREIGN)
def test_what_is_not_ours_is_stored_and_counted_and_moves_nothing(send_issue, ids, origin):
    sent = send_issue(Unknown(reason="the line went dead"))
    before = sent.everything()
    foreign = {"email": "stranger@example.net", "type": "bounce"} | ids

    kept = sent.receive(*(sent.event(word) | foreign for word in SENDGRIDS_WORDS))

    assert (len(kept.new), kept.reconciled) == (len(SENDGRIDS_WORDS), 0)
    assert sent.everything() == before
    [engaged] = sent.rows("SELECT count(engaged_on) FROM subscription")
    assert engaged.count == 0
    stored = sent.rows("SELECT issue_id, place, attempt_id, origin FROM delivery_event")
    assert stored == [(0, 0, None, origin)] * len(SENDGRIDS_WORDS)
    assert sent.container.event_intake.counters.values() == {
        "batches_reconciled": 0,
        "events_repeated": 0,
        f"foreign_events_{origin}": len(SENDGRIDS_WORDS),
        "posts": 1,
    }


def test_a_foreign_soft_bounce_never_counts(sent):
    soft = {"type": "blocked", "reason": "452 mailbox full", "nl_installation": "f" * 16}
    sent.receive(*(sent.event("bounce", **soft) for _ in range(5)))

    assert sent.rows("SELECT * FROM soft_bounce") == []


def test_an_attempt_for_another_batch_is_no_proof_for_a_delivery(sent):
    other = sent.event("spamreport", READERS[5])

    sent.receive(sent.event("unsubscribe", nl_attempt=other["nl_attempt"]))

    assert (sent.state(), sent.status()) == (DeliveryState.NO_EVENTS, SubscriptionStatus.ACTIVE)


def test_own_events_act_beside_foreign_ones_with_the_same_numbers(sent):
    foreign = {"nl_installation": "f" * 16, "email": "stranger@example.net"}
    kept = sent.receive(
        sent.event("unsubscribe") | foreign,
        sent.event("open"),
        sent.event("spamreport", READERS[1]) | foreign,
        sent.event("unsubscribe", READERS[1]),
        sent.event("delivered", READERS[2]) | foreign,
    )

    assert len(kept.new) == 5
    assert (sent.state(), sent.status()) == (DeliveryState.OPENED, SubscriptionStatus.ACTIVE)
    assert sent.state(READERS[1]) is DeliveryState.UNSUBSCRIBED
    assert sent.state(READERS[2]) is DeliveryState.NO_EVENTS


def test_an_event_of_a_request_before_a_split_is_ours(send_issue):
    too_large = Refused(reason="413", remedy=Remedy.SPLIT)
    sent = send_issue(Unknown(reason="the line went dead"), readers=READERS[:3])
    [(_, _, lost)] = sent.container.mailer.asked
    sent.container.reconciling.resolve(
        lost.batch_id, Resolution.RESEND, actor="test", because="no sign of it"
    )
    sent.container.mailer.answers = [too_large]
    sent.container.recovery.recover()
    sent.container.queue.work(until_empty=True)
    assert len({claim.batch_id for _, _, claim in sent.container.mailer.asked}) == 2

    sent.receive(
        *(
            {"event": "click", "sg_event_id": f"late-{n}", "timestamp": 1795000000}
            | ids_of(lost, n)
            for n in range(3)
        )
    )

    assert {sent.state(email) for email in READERS[:3]} == {DeliveryState.CLICKED}


#: What is true of an address whoever wrote to it, and what becomes of the address.
ABOUT_ADDRESSES = [
    ("spamreport", {}, "complaint"),
    ("bounce", {"type": "bounce"}, "bounce"),
    ("dropped", {"reason": "Invalid"}, "invalid"),
    ("bounce", {"type": "blocked"}, None),
    ("unsubscribe", {}, None),
    ("open", {}, None),
]


@pytest.mark.parametrize("ids, _", FOREIGN)
@pytest.mark.parametrize("word, more, reason", ABOUT_ADDRESSES)
def test_a_complaint_or_a_bounce_counts_for_an_address_we_know_whoever_wrote(
    sent, ids, _, word, more, reason
):
    sent.receive(sent.event(word) | {"email": FIRST.upper()} | more | ids)

    assert sent.suppressed() == reason
    assert (sent.state(), sent.status()) == (DeliveryState.NO_EVENTS, SubscriptionStatus.ACTIVE)


def test_a_complaint_about_a_letter_to_one_person_suppresses_them(sent):
    transactional = """INSERT INTO transactional_email (newsletter, kind, refers, created_at)
                       VALUES ('technology', 'welcome', 1, now()) RETURNING id"""
    [(email_id,)] = sent.container.query(transactional)
    ids = {"nl_installation": sent.container.installation_id, "nl_letter": str(email_id)}
    event = {"event": "spamreport", "email": FIRST, "sg_event_id": "one", "timestamp": 1795000000}

    sent.receive(event | ids, event | ids | {"sg_event_id": "two"})

    assert sent.suppressed() is SuppressionReason.COMPLAINT
    assert {row.origin for row in sent.rows("SELECT origin FROM delivery_event")} == {
        "transactional"
    }


def test_a_renewed_installation_takes_no_event_of_its_former_letters(sent):
    before = sent.event("unsubscribe")

    sent.container.installations.renew(because="a copy", by="test")

    sent.receive(before)
    assert sent.status() is SubscriptionStatus.ACTIVE
    assert sent.container.installation_id != before["nl_installation"]


def test_an_installation_is_not_renewed_while_a_batch_waits_for_evidence(send_issue):
    sent = send_issue(Unknown(reason="the line went dead"))
    with pytest.raises(NotAllowed, match="waits for evidence"):
        sent.container.installations.renew(because="a copy", by="test")
    with pytest.raises(NotAllowed, match="say why"):
        sent.container.installations.renew(because=" ", by="test")


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
    {"more than 64 bits": 10**30},
    {"deep": reduce(lambda within, _: [within], range(300), [])},
]


def test_a_poisonous_event_is_kept_beside_its_neighbours(send_issue):
    readers = [f"s{n}@example.com" for n in range(len(POISON))]
    sent = send_issue(readers=readers)

    for email, poison in zip(readers, POISON, strict=True):
        kept = sent.receive(
            sent.event("processed", readers[0]) | poison, sent.event("delivered", email)
        )
        assert len(kept.new) == 2, poison

    assert {sent.state(email) for email in readers} == {DeliveryState.DELIVERED}


def test_forged_events_are_not_even_stored(sent):
    body = body_of(sent.event("spamreport"))
    with pytest.raises(EventNotAuthentic):
        sent.container.event_intake.receive(body, Seal().headers(body))

    assert sent.rows("SELECT * FROM delivery_event") == []
    assert sent.status() is SubscriptionStatus.ACTIVE


def test_what_came_is_counted_by_kind(sent):
    delivered = sent.event("delivered")
    sent.receive(delivered, delivered, sent.event("read aloud"), sent.event("open"))
    with pytest.raises(EventNotAuthentic):
        sent.container.event_intake.receive(b"[]", {})

    assert sent.container.event_intake.counters.values() == {
        "batches_reconciled": 0,
        "events_delivered": 1,
        "events_opened": 1,
        "events_repeated": 1,
        "events_unknown": 1,
        "posts": 1,
        "posts_refused": 1,
    }


def test_a_post_larger_than_sendgrids_largest_is_taken_whole(sent):
    events = [sent.event("deferred", response="4" * 500) for _ in range(1600)]
    assert len(body_of(*events)) > 2**20

    assert len(sent.receive(*events).new) == 1600


def test_posts_that_come_at_once_wait_for_each_other_and_never_lock_each_other_out(sent):
    words = ("processed", "delivered", "open", "click", "bounce", "spamreport")
    events = [sent.event(word, email) for word in words for email in READERS]
    dice = random.Random(5)
    portions = [dice.sample(events, k=len(events)) for _ in range(12)]

    with ThreadPoolExecutor(4) as threads:
        kept = list(threads.map(lambda portion: sent.receive(*portion), portions))

    assert sum(len(one.new) for one in kept) == len(events)
    assert {sent.state(email) for email in READERS} == {DeliveryState.COMPLAINED}
    assert {sent.status(email) for email in READERS} == {SubscriptionStatus.ENDED}


def test_an_event_suppresses_the_address_it_is_about_and_not_a_later_one(sent: SentIssue):
    bounce, complaint = sent.event("bounce", type="bounce"), sent.event("spamreport")
    moved = "UPDATE subscriber SET email = :new, email_key = :new WHERE email = :old"
    with sent.container.engine.begin() as connection:
        connection.execute(text(moved), {"new": "moved@example.com", "old": FIRST})

    sent.receive(bounce)
    assert (sent.suppressed(FIRST), sent.suppressed("moved@example.com")) == (
        SuppressionReason.BOUNCE,
        None,
    )
    sent.receive(complaint)
    assert sent.status("moved@example.com") is SubscriptionStatus.ENDED


def why(sent: SentIssue, email: str = FIRST) -> str:
    return sent.container.explaining.why(sent.container.newsletter, email, TODAY).sentence


def test_why_says_how_a_letter_stands_before_what_was_reported_last(sent: SentIssue) -> None:
    later, latest = {"timestamp": 1795000600}, {"timestamp": 1795000900}
    sent.receive(
        sent.event("bounce", type="bounce", reason="550 no such user."),
        sent.event("delivered", **later),
    )
    sent.receive(
        sent.event("spamreport", READERS[1]),
        sent.event("open", READERS[1], **latest),
        sent.event("delivered", READERS[2]),
    )

    assert why(sent) == (
        "The recipient's server refused it for good: 550 no such user. The address is on the "
        "suppression list now (bounce). SendGrid accepted it. "
        "The last report, of 2026-11-18 11:16 UTC: delivered."
    )
    assert why(sent, READERS[1]).startswith("The recipient called it spam. ")
    assert why(sent, READERS[1]).endswith("opened.")
    assert why(sent, READERS[2]) == "The recipient's server took it. SendGrid accepted it."
    assert why(sent, READERS[3]) == "SendGrid accepted it."


def _account(kind: str, *, at: int, serial: int) -> dict[str, Any]:
    """Return SendGrid's event of a change of the account, which bears no address and no id."""
    moment = int(datetime(2026, 11, 23, 9, at, tzinfo=UTC).timestamp())
    event = {"event": "account_status_change", "type": kind, "timestamp": moment}
    return event | {"sg_event_id": f"account-{serial}"}


def test_a_suspended_account_is_one_alert_until_it_goes_on(engine: Engine, caplog):
    container = open_container(engine)
    container.receive_events(_account("reactivate", at=1, serial=0))  # of a time before ours
    for serial, minute in enumerate((10, 30, 20, 30), start=1):  # late and twice
        container.receive_events(_account("compliance_suspend", at=minute, serial=serial))
    [(_, alert)] = container.schedule_store.pending_alerts()
    assert alert.title == "all newsletters, 2026-11-23: account changed"
    assert "suspended the account" in alert.body
    assert "`newsletter issue pause`" in alert.body
    assert not [one for one in caplog.records if one.levelname == "ERROR"]

    container.receive_events(
        _account("compliance_suspend", at=50, serial=5), _account("reactivate", at=40, serial=6)
    )
    kinds = [alert.kind.value for _, alert in container.schedule_store.pending_alerts()]
    assert kinds == ["account changed", "account reactivated", "account changed"]
