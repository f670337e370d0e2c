"""A whole house for a test: real PostgreSQL, real type, and doubles where the world begins."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import count
from pathlib import Path

from sqlalchemy import Engine, text

from newsletter.core.brief import Brief, Source, Verification, brief_key
from newsletter.core.delivery import Claim
from newsletter.core.publication import Newsletter, weekly_digest
from newsletter.core.sending_limits import Fuse
from newsletter.core.stored import FiledIssue
from newsletter.rendering.renderer import Renderer
from newsletter.services.explain import Inquiry
from newsletter.services.intake import Intake
from newsletter.services.publishing import Publishing
from newsletter.services.reconciliation import Settling
from newsletter.services.sending import Dispatch
from newsletter.services.sending_limits import Braking
from newsletter.settings import load_settings, shipped
from newsletter.stores.briefs import Briefs
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.deliveries import Deliveries
from newsletter.stores.events import Events
from newsletter.stores.issues import Issues
from newsletter.stores.sending_limits import Brakes
from newsletter.stores.unknown_batches import Unknowns
from subscribers.lists.service import Lists
from subscribers.lists.store import PostgresLists
from subscribers.segments.service import Segments
from subscribers.segments.store import PostgresSegments
from subscribers.subscriptions.service import Subscriptions
from subscribers.subscriptions.store import PostgresStore
from tests.fakes import FakeClock, FakeMailer, FakeQueue

TODAY = date(2026, 11, 23)
BASE_URL = "https://news.example.com"
#: So many recipients that no test blows it unless it means to.
FUSE = Fuse(after=100, refused=0.5, unknown=0.5, bounced=0.5, complained=0.5)
TECHNOLOGY: Newsletter = load_settings(shipped("config")).newsletter("technology")

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


@dataclass
class TestHouse:
    """The services on one database; `post` works on batches until none can be claimed."""

    __test__ = False

    engine: Engine
    newsletter: Newsletter
    clock: FakeClock
    mailer: FakeMailer
    queue: FakeQueue
    intake: Intake
    publishing: Publishing
    dispatch: Dispatch
    braking: Braking
    settling: Settling
    inquiry: Inquiry
    subscriptions: Subscriptions
    lists: Lists
    segments: Segments
    deliveries: Deliveries
    issues: Issues
    events: Events
    renderer: Renderer

    def receive(self, *topics: str) -> None:
        for topic in topics:
            self.intake.receive(brief(topic))

    def subscribe(self, folder: Path, rows: dict[str, str]) -> None:
        """Import subscribers: address to topics, as a list spells them."""
        path = folder / "list.csv"
        lines = [f"{email},{topics}" for email, topics in rows.items()]
        path.write_text("\n".join(["email,topics", *lines]))
        self.lists.import_list(
            path,
            self.newsletter.slug,
            known_topics=self.newsletter.topic_slugs,
            default_zone="UTC",
            consent_source="test",
            now=self.clock.now(),
        )

    def leave(self, email: str) -> None:
        ids = [one.id for one in self.subscriptions.by_email(email)]
        self.subscriptions.end(ids, now=self.clock.now(), source="test")

    def send(self) -> FiledIssue:
        return self.dispatch.send(self.newsletter, TODAY)

    def post(self) -> FiledIssue:
        """Plan, and work until the queue is empty."""
        filed = self.send()
        self.queue.work(until_empty=True)
        return self.issues.get(filed.id)

    def claim_first(self) -> Claim:
        """Claim the first waiting batch, as a worker that then dies would leave it."""
        [(batch_id, _), *_] = self.deliveries.waiting()
        claim = self.deliveries.claim(
            batch_id, attempt_id="doomed", lease=timedelta(minutes=3), now=self.clock.now()
        )
        assert isinstance(claim, Claim)
        return claim

    def rows(self) -> dict[str, int]:
        """Count the rows of every table that sending writes."""
        tables = ("issue", "edition", "batch", "attempt", "delivery", "exclusion")
        with self.engine.begin() as connection:
            return {
                table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
                for table in tables
            }


def digests(newsletter: Newsletter) -> list[Newsletter]:
    """Return the digest of the newsletter's week, if it has one."""
    return [weekly_digest(newsletter, newsletter.weekly)] if newsletter.weekly else []


def open_house(engine: Engine, newsletter: Newsletter = TECHNOLOGY, size: int = 3) -> TestHouse:
    """Wire a house on this database; batches hold `size` recipients."""
    clock, mailer, queue = FakeClock(), FakeMailer(), FakeQueue()
    issues, deliveries = Issues(engine), Deliveries(engine)
    decisions, briefs = DecisionLog(engine, clock), Briefs(engine)
    renderer, serial = Renderer(shipped("templates")), count(1)
    subscriptions = Subscriptions(PostgresStore(engine))
    segments = Segments(PostgresSegments(engine))
    newsletters = {one.slug: one for one in (newsletter, *digests(newsletter))}
    publishing = Publishing(
        briefs=briefs,
        issues=issues,
        renderer=renderer,
        decisions=decisions,
        base_url=BASE_URL,
        clock=clock,
    )
    braking = Braking(
        brakes=Brakes(engine), issues=issues, decisions=decisions, clock=clock, fuse=FUSE
    )
    settling = Settling(
        unknowns=Unknowns(engine), decisions=decisions, clock=clock, quiet=timedelta(minutes=15)
    )
    settling.listen()
    dispatch = Dispatch(
        newsletters=newsletters,
        publishing=publishing,
        issues=issues,
        deliveries=deliveries,
        braking=braking,
        settling=settling,
        mailer=mailer,
        queue=queue,
        clock=clock,
        new_id=lambda: f"attempt-{next(serial)}",
        dice=lambda: 0.0,
        base_url=BASE_URL,
        sendgrid_host="http://127.0.0.1:9",
        batch_size=size,
        lease=timedelta(minutes=3),
        wake=subscriptions.wake,
        segments=segments,
    )
    queue.send_batches = dispatch.send_batches
    return TestHouse(
        engine=engine,
        newsletter=newsletter,
        clock=clock,
        mailer=mailer,
        queue=queue,
        intake=Intake(
            newsletters=newsletters,
            briefs=briefs,
            issues=issues,
            decisions=decisions,
            clock=clock,
        ),
        publishing=publishing,
        dispatch=dispatch,
        braking=braking,
        settling=settling,
        inquiry=Inquiry(issues=issues, deliveries=deliveries, subscriptions=subscriptions),
        subscriptions=subscriptions,
        lists=Lists(PostgresLists(engine)),
        segments=segments,
        deliveries=deliveries,
        issues=issues,
        events=Events(engine),
        renderer=renderer,
    )
