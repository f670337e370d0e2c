"""A container for a test: real PostgreSQL, real type, and doubles where the world begins."""

from dataclasses import replace
from datetime import date, timedelta
from functools import cache, cached_property
from itertools import count
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import Engine, text

from newsletter.container import Container
from newsletter.core.brief import Brief, Source, Verification, brief_key
from newsletter.core.delivery import Claim
from newsletter.core.events import DeliveryEvent, StoredEvents
from newsletter.core.publication import Newsletter
from newsletter.core.stored import StoredIssue
from newsletter.rendering.kept_galleys import KeptGalleys
from newsletter.rendering.renderer import IssueRenderer
from newsletter.settings import Settings
from tests.fakes import FakeClock, FakeMailer, FakeQueue
from tests.settings import SEAL, TECHNOLOGY, settings_for, with_digest
from tests.signing import body_of

TODAY = date(2026, 11, 23)

_TITLES = {
    "ai-models": "A small model learns to say that it does not know",
    "chips": "A foundry halves the water it needs for a wafer",
    "security": "A mail library mends a flaw that read past its buffer",
    "policy": "A court asks for reasons behind an automated refusal",
    "software": "A compiler now explains its slowest pass in plain words",
    "robotics": "A warehouse robot learns to wait for people to pass",
}


def brief(topic: str = "chips", **changes: object) -> Brief:
    """Return a brief the gate accepts."""
    title = str(changes.get("title", _TITLES[topic]))
    made = Brief(
        key=brief_key(title),
        title=title,
        pillar="Technology",
        summary=f"What happened around {topic} today, told in a sentence that is long enough.",
        source=Source(name="Example Wire", url=f"https://example.org/{brief_key(title)}"),
        verification=Verification.VERIFIED,
        minutes=2,
        topics=(topic,),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


class TestContainer(Container):
    """The container on a test's database, and what tests often do with it."""

    __test__ = False
    clock: FakeClock
    mailer: FakeMailer
    queue: FakeQueue

    @cached_property
    def _kept_galleys(self) -> KeptGalleys:
        """Keep galleys for all tests of this process: many print the same few stories.

        Tests that look at their own container's renderer use the fixture `set_in_type_anew`.
        """
        return _galleys(self.settings.templates)

    @property
    def newsletter(self) -> Newsletter:
        """Return the first of the newsletters."""
        return next(iter(self.settings.newsletters.values()))

    def restarted(self, *, settings: Settings | None = None, **given: Any) -> Self:
        """Return the container of a new process, which shares the database and the doubles."""
        shared = {name: vars(self)[name] for name in self._given}
        return type(self)(settings or self.settings, **shared | given)

    def receive(self, *topics: str) -> None:
        for topic in topics:
            self.intake.receive(brief(topic))

    def subscribe(self, folder: Path, rows: dict[str, str], *, newsletter: str = "") -> None:
        """Import subscribers: address to topics, as a list spells them."""
        path = folder / "list.csv"
        lines = [f"{email},{topics}" for email, topics in rows.items()]
        path.write_text("\n".join(["email,topics", *lines]))
        self.lists.import_list(
            path,
            newsletter or self.newsletter.slug,
            known_topics=self.newsletter.topic_slugs,
            default_zone="UTC",
            consent_source="test",
            now=self.clock.now(),
        )

    def unsubscribe(self, email: str) -> None:
        ids = [one.id for one in self.subscriptions.by_email(email)]
        self.subscriptions.unsubscribe(ids, now=self.clock.now(), source="test")

    def plan_issue(self) -> StoredIssue:
        """Plan today's issue and queue its batches."""
        return self.planning.hand_over(self.newsletter, TODAY).issue

    def send_issue(self) -> StoredIssue:
        """Plan today's issue, and work until the queue is empty."""
        stored = self.plan_issue()
        self.queue.work(until_empty=True)
        return self.issues.get(stored.id)

    def claim_first(self) -> Claim:
        """Claim the first waiting batch, as a worker that then dies would leave it."""
        [(batch_id, _), *_] = self.deliveries.waiting()
        claim = self.deliveries.claim(
            batch_id, attempt_id="doomed", lease=timedelta(minutes=3), now=self.clock.now()
        )
        assert isinstance(claim, Claim)
        return claim

    @property
    def installation_id(self) -> str:
        return self.installations.current().id

    def record_event(self, event: DeliveryEvent) -> StoredEvents:
        """Store an event, without what follows from it for its reader."""
        own = replace(event, installation_id=self.installation_id)
        return self.events.record([own], self.events.known_ids([own]), self.clock.now())

    def receive_events(self, *events: dict[str, Any]) -> StoredEvents:
        """Take signed events, as SendGrid posts them."""
        body = body_of(*events)
        return self.event_intake.receive(body, SEAL.headers(body))

    def listen(self, *, minutes: int) -> None:
        """Let time pass while this process receives events of the accepted batches."""
        accepted = self.query("SELECT id FROM attempt WHERE outcome = 'accepted'")
        for _ in range(minutes):
            self.reconciling.record_receiving()
            self.webhook_line.record_post([attempt for (attempt,) in accepted], self.clock.now())
            self.clock.pass_time(minutes=1)

    def query(self, sql: str, **values: object) -> list[Any]:
        """Execute a statement, and return its rows as tuples."""
        with self.engine.begin() as connection:
            found = connection.execute(text(sql), values)
            return [tuple(row) for row in found] if found.returns_rows else []

    def rows(self) -> dict[str, int]:
        """Count the rows of every table that sending writes."""
        tables = ("issue", "edition", "batch", "attempt", "delivery", "exclusion")
        return {table: self.query(f"SELECT count(*) FROM {table}")[0][0] for table in tables}


@cache
def _galleys(templates: Path) -> KeptGalleys:
    return KeptGalleys(IssueRenderer(templates), templates, most=64)


def one_request(issue: int = 1) -> str:
    """Return SQL for deliveries that a test stores by itself, under an issue and batch of a number.

    The attempt `one-1`, or whatever the number is, was made for all of them.
    """
    return f"""
        INSERT INTO issue (id, newsletter, date, state, assembled_at, planned_at)
        VALUES ({issue}, 'technology', date '2020-01-01' + {issue}, 'sent', now(), now());
        INSERT INTO edition (id, issue_id, key, brief_ids) VALUES ({issue}, {issue}, '', '{{}}');
        INSERT INTO batch (id, issue_id, edition_id, ordinal, size, state, first_place, last_place)
        VALUES ({issue}, {issue}, {issue}, 1, 1, 'accepted', 1, 1000000);
        INSERT INTO attempt (id, batch_id, number, recipients, started_at, outcome)
        VALUES ('one-{issue}', {issue}, 1, 1, now(), 'accepted');
    """


def ids_of(claim: Claim, reader: int = 0) -> dict[str, str]:
    """Return the custom arguments that travel with a reader's letter."""
    return {
        "nl_installation": claim.installation_id,
        "nl_issue": str(claim.issue_id),
        "nl_delivery": str(claim.recipients[reader].place),
        "nl_attempt": claim.attempt_id,
    }


T = TypeVar("T", bound=TestContainer)


def open_container(
    engine: Engine,
    newsletter: Newsletter = TECHNOLOGY,
    *,
    batch_size: int = 3,
    settings: Settings | None = None,
    cls: type[T] = TestContainer,
    **given: Any,
) -> T:
    """Return a container on this database whose clock, mailer and queue are doubles."""
    serial = count(1)
    doubles: dict[str, Any] = {
        "clock": FakeClock(),
        "mailer": FakeMailer(),
        "queue": FakeQueue(),
        "new_id": lambda: f"attempt-{next(serial)}",
        "dice": lambda: 0.0,
    }
    settings = settings or settings_for(with_digest(newsletter), batch_size=batch_size)
    container = cls(settings, engine=engine, **doubles | given)
    container.setup_reports = replace(container.setup_reports, examine=lambda: ())
    container.reconciling.start_receiving()
    assert container.sending  # its queue knows now what to do with batches
    return container
