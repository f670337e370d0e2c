"""Figures are counters; whatever happens to an issue, they equal the exact audit."""

from collections import Counter
from contextlib import suppress
from random import Random

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from newsletter.core.delivery import Accepted, Claim, Outcome, Refused, Remedy, Unknown
from newsletter.core.reconciliation import Resolution
from newsletter.core.stored import IssueStatus
from newsletter.errors import NewsletterError
from newsletter.stores.issue_audit import audit_events, audit_sums
from subscribers.db.transaction import rows, transaction
from tests.container import TODAY, TestContainer, open_container
from tests.stores.test_acceptance import answer, receive_event

pytestmark = pytest.mark.postgres

READERS = {f"r{n}@example.com": "" for n in range(30)}


@pytest.fixture
def container(engine: Engine, tmp_path) -> TestContainer:
    container = open_container(engine, batch_size=5)
    container.receive("chips")
    container.subscribe(tmp_path, READERS)
    container.unsubscribe("r29@example.com")
    return container


def assert_agree(container: TestContainer) -> None:
    stored = container.issues.find("technology", TODAY)
    figures, totals = container.figures.leaving(stored), container.deliveries.totals(stored.id)
    with transaction(container.engine) as session:
        assert audit_sums(session, stored.id) == figures.sums == totals.sums
        assert audit_events(session, stored.id) == totals.events
        assert by_name(session, stored.id) == (totals.skips, totals.refusals)
    assert figures.adds_up
    assert figures.together == figures.sums.deliveries


def by_name(session: Session, issue_id: int) -> tuple[dict[str, int], dict[str, int]]:
    sql = "SELECT skipped, refused FROM delivery WHERE issue_id = %(issue)s"
    found = rows(session, sql, {"issue": issue_id})
    skips = Counter(row["skipped"] for row in found if row["skipped"])
    return dict(skips), dict(Counter(row["refused"] for row in found if row["refused"]))


class _Morning:
    """Does one thing after another to an issue, as chance has it."""

    def __init__(self, container: TestContainer, chance: Random) -> None:
        self.container, self.chance = container, chance
        self.claims: list[Claim] = []

    def claim(self) -> None:
        waiting = self.container.deliveries.waiting()
        if not waiting:
            return
        now = self.container.clock.now()
        claimed = self.container.deliveries.claim(
            self.chance.choice(waiting)[0],
            attempt_id=self.container.sending.new_id(),
            lease=self.container.sending.lease,
            now=now,
        )
        if isinstance(claimed, Claim):
            self.claims.append(claimed)

    def answer(self) -> None:
        if self.claims:
            claimed = self.chance.choice(self.claims)
            answer(self.container, claimed, self.chance.choice(outcomes(claimed, self.chance)))

    def receive_event(self) -> None:
        if self.claims:
            claimed = self.chance.choice(self.claims)
            receive_event(self.container, claimed, self.chance.randrange(len(claimed.recipients)))

    def unsubscribe(self) -> None:
        self.container.unsubscribe(self.chance.choice(list(READERS)))

    def expire(self) -> None:
        self.container.clock.pass_time(minutes=1)
        self.container.deliveries.expire_leases(self.container.clock.now())

    def resolve(self) -> None:
        for batch in self.container.unknown_batches.unknown()[:1]:
            resolution = self.chance.choice(list(Resolution))
            self.container.unknown_batches.resolve(batch.batch_id, resolution, "by chance")

    def pause(self) -> None:
        stored = self.container.issues.find("technology", TODAY)
        self.container.sending_limits.pause(stored, actor="ana", because="a look")

    def resume(self) -> None:
        stored = self.container.issues.find("technology", TODAY)
        self.container.sending_limits.resume(stored, actor="ana", because="a look")

    def cancel(self) -> None:
        if self.chance.random() < 0.1:
            stored = self.container.issues.find("technology", TODAY)
            self.container.sending_limits.cancel(stored, actor="ana", because="enough")

    def step(self) -> None:
        acts = [self.claim, self.claim, self.answer, self.answer, self.receive_event]
        acts += [self.unsubscribe, self.expire, self.resolve, self.pause, self.resume, self.cancel]
        with suppress(NewsletterError):  # such as a resume of what is not paused
            self.chance.choice(acts)()


def outcomes(claimed: Claim, chance: Random) -> list[Outcome]:
    someone = chance.randrange(len(claimed.recipients))
    return [
        Accepted(message_id="there"),
        Unknown(reason="the line went dead"),
        Refused(reason="413", remedy=Remedy.SPLIT),
        Refused(reason="not an address", remedy=Remedy.EJECT, offenders=(someone,)),
        Refused(reason="later", remedy=Remedy.RETRY),
    ]


@pytest.mark.parametrize("seed", range(6))
def test_figures_equal_the_audit_whatever_happens(container: TestContainer, seed: int) -> None:
    container.plan_issue()
    assert_agree(container)
    morning = _Morning(container, Random(seed))
    for _ in range(60):
        morning.step()
        assert_agree(container)


def test_figures_say_how_fast_it_goes_and_how_long_the_rest_takes(container) -> None:
    stored = container.plan_issue()
    before = container.figures.leaving(stored)
    assert (before.rate, before.seconds_left, before.batches) == (0.0, None, ())
    assert (before.sums.audience, before.sums.excluded, before.waiting) == (30, 1, 29)

    first, second = _claim_some(container, 2)
    container.clock.pass_time(seconds=2)
    answer(container, first, Accepted(message_id="there"))
    found = container.figures.leaving(stored)

    assert (found.state, found.sums.accepted, found.claimed) == (IssueStatus.SENDING, 5, 5)
    assert (found.rate, found.seconds_left) == (2.5, 24 / 2.5)
    latest = [(one.batch_id, one.state, one.answer, one.seconds) for one in found.batches]
    assert latest == [
        (second.batch_id, "claimed", "", 2.0),
        (first.batch_id, "accepted", "accepted", 2.0),
    ]
    assert {one.size for one in found.batches} == {5}


def _claim_some(container: TestContainer, count: int) -> list[Claim]:
    morning = _Morning(container, Random(0))
    for _ in range(count):
        morning.claim()
    return morning.claims
