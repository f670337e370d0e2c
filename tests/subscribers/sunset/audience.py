"""A newsletter with a sunset policy, and readers who did nothing for long."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy import Engine

from subscribers.model import Subscription, SunsetPolicy
from tests.container import TestContainer, open_container
from tests.settings import TECHNOLOGY

POLICY = SunsetPolicy(after_days=90, answer_days=14, letters=3)
NEWSLETTER = replace(TECHNOLOGY, sunset=POLICY)
DAY = timedelta(days=1)

_ISSUE = """
    INSERT INTO issue (newsletter, list, date, state, assembled_at, planned_at)
    VALUES ('technology', 'technology', :date, 'sent', :at, :at)
    ON CONFLICT (newsletter, date) DO UPDATE SET state = 'sent' RETURNING id
"""
_DELIVERY = """
    INSERT INTO delivery (issue_id, place, subscriber_id, subscription_id, state)
    VALUES (:issue, :subscriber, :subscriber, :subscription, :state)
"""


class Audience:
    """The readers of a newsletter with a sunset policy."""

    def __init__(self, container: TestContainer) -> None:
        self.container, self.run = container, container.query

    @property
    def now(self) -> datetime:
        return self.container.clock.now()

    def reader(self, email: str) -> Subscription:
        [one] = self.container.subscriptions.by_email(email)
        return one

    def ask_inactive(self) -> tuple[int, int]:
        done = self.container.sunset.ask_inactive_readers(NEWSLETTER)
        return done.asked, done.paused

    def letters(self, one: Subscription, count: int, *, ago: int = 1, state: int = 30) -> None:
        """Keep that so many letters of the latest days reached a reader's mailbox."""
        for number in range(count):
            at = self.now - (ago + number) * DAY
            [(issue,)] = self.run(_ISSUE, date=at.date(), at=at)
            self.container.partitions.prepare_for(issue)
            values = {"issue": issue, "subscriber": one.subscriber_id, "subscription": one.id}
            self.run(_DELIVERY, **values, state=state)

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

    def sendgrid_takes_all(self) -> None:
        """Let SendGrid take every letter that waits."""
        self.run("UPDATE transactional_email SET state = 'accepted' WHERE state = 'waiting'")

    def questions(self) -> int:
        [[count]] = self.run("SELECT count(*) FROM transactional_email WHERE kind = 'still_wanted'")
        assert isinstance(count, int)
        return count

    def history(self, one: Subscription) -> list[tuple[object, ...]]:
        return self.run(
            "SELECT actor, what FROM change WHERE subscriber_id = :id ORDER BY id",
            id=one.subscriber_id,
        )


def open_audience(engine: Engine, container: TestContainer | None = None) -> Audience:
    return Audience(container or open_container(engine, NEWSLETTER))
