"""A container with the records of people, on one real database."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from subscribers.model import Purpose, Subscription, TopicSet
from subscribers.records.model import NewSubscriber
from subscribers.tokens import make_token
from tests.cli.conftest import cli  # noqa: F401  # a fixture
from tests.container import TestContainer, open_container

TABLES = (
    "subscriber, subscription, consent, change, suppression, suppression_lift, signup, "
    "address_change, erasure, pending_unsubscribe"
)


class RecordsContainer(TestContainer):
    """A container, and what the tests of records do with it."""

    __test__ = False

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def add(self, email: str, newsletter: str = "technology", *topics: str, **more: Any) -> int:
        """Add somebody, and return the subscription's number."""
        newcomer = NewSubscriber(
            email=email,
            newsletter=newsletter,
            statement="asked in writing",
            zone="UTC",
            topics=TopicSet.of(topics),
            **more,
        )
        return self.records.add(newcomer, actor="anna", now=self.now)

    def merge(self, keep: str, other: str) -> None:
        keep_id, other_id = self.records.id_of(keep), self.records.id_of(other)
        self.records.merge(keep_id, other_id, actor="anna", now=self.now)

    def subscription(self, email: str, newsletter: str = "technology") -> Subscription:
        found = self.subscriptions.by_email(email)
        return next(one for one in found if one.newsletter == newsletter)

    def link(self, email: str, purpose: Purpose = Purpose.UNSUBSCRIBE) -> str:
        one = self.subscription(email)
        return make_token(purpose, one.id, one.link_key)

    @property
    def mailable(self) -> set[tuple[str, str]]:
        return set(self.query("SELECT email, newsletter FROM audience WHERE exclusion IS NULL"))

    def everything(self) -> str:
        """Return all text the database holds, but for SendGrid's queue."""
        tables = self.query(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' "
            "AND tablename NOT LIKE 'procrastinate%'"
        )
        return "\n".join(
            str(self.query(f"SELECT row_to_json(t)::text FROM {name} t")) for (name,) in tables
        )

    def clear(self) -> None:
        self.query(f"TRUNCATE {TABLES} RESTART IDENTITY")


@pytest.fixture
def container(engine: Engine) -> RecordsContainer:
    return open_container(engine, cls=RecordsContainer)


@pytest.fixture
def sent(container: RecordsContainer, tmp_path: Path) -> RecordsContainer:
    """A container that has sent an issue to two readers."""
    container.receive("chips", "security", "ai-models")
    container.subscribe(tmp_path, {"reader@example.com": "", "other@example.com": ""})
    container.send_issue()
    return container
