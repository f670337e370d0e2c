"""Readers with letters on their way, and the lists that SendGrid has of them."""

import itertools
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from newsletter.core.events import StoredEvents
from subscribers.model import Suppression, SuppressionReason
from tests.cli.conftest import cli  # noqa: F401  # a fixture
from tests.container import TestContainer, one_request, open_container
from tests.fakes import FakeClock

START = datetime(2026, 11, 23, 10, tzinfo=UTC)
_serial = itertools.count()

_CLEAR = """
TRUNCATE subscriber, subscription, topic_set, suppression, suppression_lift, consent, delivery,
         soft_bounce, delivery_event, issue, edition, batch, attempt, split_from,
         issue_brief, pending_unsubscribe RESTART IDENTITY CASCADE
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
INSERT INTO delivery (issue_id, place, subscriber_id, subscription_id)
SELECT :issue, id, subscriber_id, id FROM subscription ORDER BY id
"""


class Account:
    """Readers r0, r1, … whose letters SendGrid has; every event is one of theirs."""

    def __init__(self, container: TestContainer) -> None:
        self.container, self.rows = container, container.query
        self.readers = 0

    def decide(self, *, readers: int = 1, letters: int = 1) -> None:
        """Begin anew with so many readers, each with so many letters."""
        self.readers = readers
        with self.container.engine.begin() as connection:
            connection.execute(text(_CLEAR))
            connection.execute(text("INSERT INTO topic_set (slugs) VALUES ('{*}')"))
            for number in range(readers):
                values = {"email": f"R{number}@example.com", "now": START}
                connection.execute(text(_READER), values)
        for issue in range(1, letters + 1):
            self.send(issue)

    def send(self, issue: int) -> None:
        with self.container.engine.begin() as connection:
            connection.execute(text(one_request(issue)))
            connection.execute(text(_LETTER), {"issue": issue})

    def event(self, word: str, reader: int = 0, letter: int = 1, **more: Any) -> dict[str, Any]:
        """Return an event of a reader's letter, under an id of its own."""
        moment = START + timedelta(minutes=letter)
        return {
            "email": f"R{reader}@example.com",
            "event": word,
            "nl_installation": self.container.installation_id,
            "nl_issue": str(letter),
            "nl_delivery": str(reader + 1),
            "nl_attempt": f"one-{letter}",
            "sg_event_id": f"event-{next(_serial)}",
            "timestamp": int(moment.timestamp()),
            **more,
        }

    def soft(self, letter: int, reader: int = 0) -> dict[str, Any]:
        return self.event("bounce", reader, letter, type="blocked", reason="452 mailbox full")

    def receive(self, *events: dict[str, Any]) -> StoredEvents:
        return self.container.receive_events(*events)

    def reason(self, reader: int = 0) -> SuppressionReason | None:
        found = self.container.subscriptions.suppression(f"r{reader}@example.com")
        return found.reason if found else None

    @property
    def mailable(self) -> list[str]:
        rows = self.rows("SELECT lower(email) FROM audience WHERE exclusion IS NULL ORDER BY 1")
        return [email for (email,) in rows]


@pytest.fixture
def account(engine: Engine) -> Account:
    made = Account(open_container(engine, clock=FakeClock(START)))
    made.decide()
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
