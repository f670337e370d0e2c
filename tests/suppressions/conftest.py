"""A town of readers with letters on their way, the webhook's way in, and the suppression desk."""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from newsletter.adapters.sendgrid.webhook import SendGridEvents
from newsletter.ports import KeptEvents
from newsletter.services.event_intake import Feedback
from newsletter.services.suppression_sync import Suppressing
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.events import Events
from subscribers.model import Suppression, SuppressionReason
from subscribers.subscriptions.service import Subscriptions
from subscribers.subscriptions.store import PostgresStore
from tests.cli.conftest import desk  # noqa: F401  # a fixture
from tests.fakes import FakeClock
from tests.signing import Seal, body_of

SEAL = Seal()
START = datetime(2026, 11, 23, 10, tzinfo=UTC)
_serial = itertools.count()

_CLEAR = """
TRUNCATE subscriber, subscription, topic_set, suppression, suppression_lift, consent, delivery,
         soft_bounce, delivery_event, decision RESTART IDENTITY
"""
_READER = """
WITH reader AS (
    INSERT INTO subscriber (email, email_key, created_at) VALUES (:email, lower(:email), :now)
    RETURNING id
)
INSERT INTO subscription (subscriber_id, newsletter, topic_set_id, zone, status, created_at)
SELECT id, 'technology', 1, 'UTC', 'active', :now FROM reader
"""
_LETTER = """
INSERT INTO delivery (issue_id, subscriber_id, subscription_id, batch_id)
SELECT :issue, subscriber_id, id, 1 FROM subscription ORDER BY id
"""


@dataclass
class Town:
    """Readers r0, r1, … whose letters SendGrid has; every event is one of theirs."""

    engine: Engine
    clock: FakeClock
    subscriptions: Subscriptions
    feedback: Feedback
    suppressing: Suppressing
    decisions: DecisionLog
    readers: int = 0

    def settle(self, *, readers: int = 1, letters: int = 1) -> None:
        """Begin anew with so many readers, each with so many letters."""
        self.readers = readers
        with self.engine.begin() as connection:
            connection.execute(text(_CLEAR))
            connection.execute(text("INSERT INTO topic_set (slugs) VALUES ('{*}')"))
            for number in range(readers):
                values = {"email": f"R{number}@example.com", "now": START}
                connection.execute(text(_READER), values)
        for issue in range(1, letters + 1):
            self.send(issue)

    def send(self, issue: int) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(_LETTER), {"issue": issue})

    def event(self, word: str, reader: int = 0, letter: int = 1, **more: Any) -> dict[str, Any]:
        """Return an event of a reader's letter, under an id of its own."""
        delivery = (letter - 1) * self.readers + reader + 1
        moment = START + timedelta(minutes=letter)
        return {
            "email": f"R{reader}@example.com",
            "event": word,
            "nl_delivery": str(delivery),
            "sg_event_id": f"event-{next(_serial)}",
            "timestamp": int(moment.timestamp()),
            **more,
        }

    def soft(self, letter: int, reader: int = 0) -> dict[str, Any]:
        return self.event("bounce", reader, letter, type="blocked", reason="452 mailbox full")

    def hear(self, *events: dict[str, Any]) -> KeptEvents:
        body = body_of(*events)
        return self.feedback.accept(body, SEAL.headers(body))

    def reason(self, reader: int = 0) -> SuppressionReason | None:
        found = self.subscriptions.suppressed(f"r{reader}@example.com")
        return found.reason if found else None

    def rows(self, sql: str) -> list[Any]:
        with self.engine.begin() as connection:
            return [tuple(row) for row in connection.execute(text(sql))]

    @property
    def mailable(self) -> list[str]:
        rows = self.rows("SELECT lower(email) FROM audience WHERE exclusion IS NULL ORDER BY 1")
        return [email for (email,) in rows]


@pytest.fixture
def town(engine: Engine) -> Town:
    clock, subscriptions = FakeClock(START), Subscriptions(PostgresStore(engine))
    decisions, events = DecisionLog(engine, clock), Events(engine)
    made = Town(
        engine=engine,
        clock=clock,
        subscriptions=subscriptions,
        feedback=Feedback(
            source=SendGridEvents(SEAL.public_key),
            events=events,
            subscriptions=subscriptions,
            clock=clock,
        ),
        suppressing=Suppressing(
            subscriptions=subscriptions, events=events, decisions=decisions, clock=clock
        ),
        decisions=decisions,
    )
    made.settle()
    return made


class Lists:
    """SendGrid's lists, as a test fills them; they remember what was asked."""

    def __init__(self, *entries: Suppression) -> None:
        self.entries = list(entries)
        self.asked: list[tuple[datetime, datetime]] = []
        self.before_page: Callable[[], object] = lambda: None

    @property
    def reasons(self) -> tuple[SuppressionReason, ...]:
        return (
            SuppressionReason.BOUNCE,
            SuppressionReason.INVALID,
            SuppressionReason.COMPLAINT,
            SuppressionReason.UNSUBSCRIBE,
        )

    def pages(
        self, reason: SuppressionReason, start: datetime, end: datetime
    ) -> Iterable[tuple[Suppression, ...]]:
        self.asked.append((start, end))
        self.before_page()
        for one in self.entries:
            if one.reason is reason and start <= one.since <= end:
                yield (one,)


def listed(
    reason: SuppressionReason, reader: int = 0, since: datetime = START, domain: str = "example.com"
) -> Suppression:
    return Suppression(email=f"R{reader}@{domain}", reason=reason, source="a list", since=since)
