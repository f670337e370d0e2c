"""A house with a sunset policy, and readers of whom nobody was heard."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import Engine, text

from newsletter.core.transactional import CorrespondenceKind
from newsletter.services.sunset import Sunset
from newsletter.stores.sunset import LettersSent
from newsletter.stores.transactional import Outbox
from subscribers.model import Subscription, SunsetPolicy
from subscribers.sunset.service import Sunsets
from subscribers.sunset.store import PostgresSunsets
from tests.house import TECHNOLOGY, TestHouse, open_house

POLICY = SunsetPolicy(after_days=90, answer_days=14, letters=3)
NEWSLETTER = replace(TECHNOLOGY, sunset=POLICY)
DAY = timedelta(days=1)

_ISSUE = """
    INSERT INTO issue (newsletter, list, date, state, assembled_at, planned_at)
    VALUES ('technology', 'technology', :date, 'sent', :at, :at)
    ON CONFLICT (newsletter, date) DO UPDATE SET state = 'sent' RETURNING id
"""
_DELIVERY = """
    INSERT INTO delivery (issue_id, subscriber_id, subscription_id, batch_id, state)
    VALUES (:issue, :subscriber, :subscription, 0, :state)
"""


@dataclass
class Place:
    """A house, and the desks of the sunset."""

    house: TestHouse
    sunsets: Sunsets
    sunset: Sunset

    @property
    def now(self) -> datetime:
        return self.house.clock.now()

    def reader(self, email: str) -> Subscription:
        [one] = self.house.subscriptions.by_email(email)
        return one

    def go(self) -> tuple[int, int]:
        done = self.sunset.go(NEWSLETTER)
        return done.asked, done.paused

    def run(self, statement: str, **values: object) -> list[tuple[object, ...]]:
        with self.house.engine.begin() as connection:
            found = connection.execute(text(statement), values)
            return [tuple(row) for row in found] if found.returns_rows else []

    def letters(self, one: Subscription, count: int, *, ago: int = 1, state: int = 30) -> None:
        """Keep that so many letters of the latest days reached a reader's mailbox."""
        with self.house.engine.begin() as connection:
            for number in range(count):
                at = self.now - (ago + number) * DAY
                issue = connection.execute(text(_ISSUE), {"date": at.date(), "at": at}).scalar()
                values = {"issue": issue, "subscriber": one.subscriber_id, "subscription": one.id}
                connection.execute(text(_DELIVERY), values | {"state": state})

    def joined(self, one: Subscription, days_ago: int) -> None:
        at = self.now - days_ago * DAY
        self.run(
            "UPDATE subscription SET created_at = :at, import_id = NULL WHERE id = :id",
            at=at,
            id=one.id,
        )

    def list_of(self, days_ago: int) -> object:
        """Return the number of a list that came so many days ago."""
        [[number]] = self.run(
            """INSERT INTO list_import (at, file, newsletter, consent_source, counts)
               VALUES (:at, 'list.csv', 'technology', 'test', '{}') RETURNING id""",
            at=self.now - days_ago * DAY,
        )
        return number

    def engaged(self, one: Subscription, on: date) -> None:
        self.run("UPDATE subscription SET engaged_on = :on WHERE id = :id", on=on, id=one.id)

    def post_takes_all(self) -> None:
        """Let SendGrid take every letter that waits."""
        self.run("UPDATE correspondence SET state = 'accepted' WHERE state = 'waiting'")

    def questions(self) -> int:
        [[count]] = self.run("SELECT count(*) FROM correspondence WHERE kind = 'still_wanted'")
        assert isinstance(count, int)
        return count

    def history(self, one: Subscription) -> list[tuple[object, ...]]:
        return self.run(
            "SELECT actor, what FROM change WHERE subscriber_id = :id ORDER BY id",
            id=one.subscriber_id,
        )


def open_place(engine: Engine, house: TestHouse | None = None) -> Place:
    house, outbox = house or open_house(engine, NEWSLETTER), Outbox(engine)
    sunsets = Sunsets(PostgresSunsets(engine), LettersSent(engine))

    def write(slug: str, subscription_id: int) -> None:
        outbox.write(CorrespondenceKind.STILL_WANTED, slug, subscription_id, house.clock.now())

    sunset = Sunset(
        newsletters={NEWSLETTER.slug: NEWSLETTER}, sunsets=sunsets, write=write, clock=house.clock
    )
    return Place(house, sunsets, sunset)
