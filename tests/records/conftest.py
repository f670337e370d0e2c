"""People on file, and the desks that know them, on one real database."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from newsletter.services.people import People
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.person_history import Letters
from subscribers.model import Purpose, Subscription, TopicSet
from subscribers.records.model import Newcomer
from subscribers.records.service import Records
from subscribers.records.store import PostgresRecords
from subscribers.tokens import make_token
from tests.cli.conftest import desk  # noqa: F401  # a fixture
from tests.house import TestHouse, open_house

TABLES = (
    "subscriber, subscription, consent, change, suppression, suppression_lift, signup, "
    "address_change, erasure"
)


@dataclass
class Office:
    """The desks; everybody is added by hand, with a statement."""

    house: TestHouse
    records: Records
    people: People
    letters: Letters

    @property
    def now(self):
        return self.house.clock.now()

    def add(self, email: str, newsletter: str = "technology", *topics: str, **more: Any) -> int:
        """Add somebody, and return the subscription's number."""
        newcomer = Newcomer(
            email=email,
            newsletter=newsletter,
            statement="asked at the desk",
            zone="UTC",
            topics=TopicSet.of(topics),
            **more,
        )
        return self.records.add(newcomer, actor="anna", now=self.now)

    def merge(self, keep: str, other: str) -> None:
        keep_id, other_id = self.records.id_of(keep), self.records.id_of(other)
        self.records.merge(keep_id, other_id, actor="anna", now=self.now)

    def subscription(self, email: str, newsletter: str = "technology") -> Subscription:
        found = self.house.subscriptions.by_email(email)
        return next(one for one in found if one.newsletter == newsletter)

    def link(self, email: str, purpose: Purpose = Purpose.UNSUBSCRIBE) -> str:
        one = self.subscription(email)
        return make_token(purpose, one.id, one.link_key)

    def rows(self, sql: str) -> list[Any]:
        with self.house.engine.begin() as connection:
            return [tuple(row) for row in connection.execute(text(sql))]

    def do(self, sql: str, **values: object) -> None:
        with self.house.engine.begin() as connection:
            connection.execute(text(sql), values)

    @property
    def mailable(self) -> set[tuple[str, str]]:
        rows = self.rows("SELECT email, newsletter FROM audience WHERE exclusion IS NULL")
        return set(rows)

    def everything(self) -> str:
        """Return all text the database holds, but for SendGrid's queue."""
        tables = self.rows(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' "
            "AND tablename NOT LIKE 'procrastinate%'"
        )
        return "\n".join(
            str(self.rows(f"SELECT row_to_json(t)::text FROM {name} t")) for (name,) in tables
        )

    def clear(self) -> None:
        self.do(f"TRUNCATE {TABLES} RESTART IDENTITY")


def open_office(engine: Engine) -> Office:
    house = open_house(engine)
    records, letters = Records(PostgresRecords(engine)), Letters(engine)
    people = People(
        records=records,
        subscriptions=house.subscriptions,
        letters=letters,
        decisions=DecisionLog(engine, house.clock),
        clock=house.clock,
    )
    return Office(house=house, records=records, people=people, letters=letters)


@pytest.fixture
def office(engine: Engine) -> Office:
    return open_office(engine)


@pytest.fixture
def sent(office: Office, tmp_path: Path) -> Office:
    """An office whose house has sent an issue to two readers."""
    house = office.house
    house.receive("chips", "security", "ai-models")
    house.subscribe(tmp_path, {"reader@example.com": "", "other@example.com": ""})
    house.post()
    return office
