"""Pausing, cancelling, the circuit breaker, the rate limit and freshness, on real PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from sqlalchemy import Engine

from newsletter.core.circuit_breaker import CircuitBreaker
from newsletter.core.delivery import Accepted, Claim, NotYet, Refused, Remedy
from newsletter.core.sending_limits import RateLimit
from newsletter.core.stored import IssueStatus
from newsletter.errors import NotAllowed
from newsletter.stores.deliveries import DeliveryStore
from tests.container import TODAY, TestContainer, open_container

pytestmark = pytest.mark.postgres

READERS = {f"r{n}@example.com": "" for n in range(12)}


@pytest.fixture
def container(engine: Engine, tmp_path) -> TestContainer:
    container = open_container(engine)
    container.receive("chips")
    container.subscribe(tmp_path, READERS)
    return container


def sums(container: TestContainer):
    return container.deliveries.totals(container.issues.find("technology", TODAY).id).sums


def send_some(container: TestContainer, batches: int) -> None:
    container.plan_issue()
    for batch_id in list(container.queue.jobs)[:batches]:
        container.queue.jobs.pop(batch_id)
        container.sending.send_batches([batch_id])


def test_nothing_leaves_while_an_issue_is_paused_and_the_rest_does_after(container):
    send_some(container, 2)
    stored = container.issues.find("technology", TODAY)
    paused = container.sending_limits.pause(stored, actor="test", because="a wrong figure")

    container.queue.work(until_empty=True)

    assert (paused.state, paused.reason) == (IssueStatus.PAUSED, "a wrong figure")
    assert len(container.mailer.asked) == 2
    container.sending_limits.resume(paused, actor="test", because="it was right")
    container.recovery.recover()
    container.queue.work(until_empty=True)
    assert sorted(container.mailer.addresses) == sorted(READERS)


def test_a_send_does_not_lift_a_pause_and_says_who_paused_it_and_why(container):
    send_some(container, 1)
    stored = container.issues.find("technology", TODAY)
    stored = container.sending_limits.pause(stored, actor="ana", because="a wrong figure")

    with pytest.raises(NotAllowed, match="paused by ana: a wrong figure; `newsletter issue resume"):
        container.plan_issue()

    container.recovery.recover()
    container.queue.work(until_empty=True)
    assert container.issues.get(stored.id).state is IssueStatus.PAUSED
    assert len(container.mailer.asked) == 1

    container.sending_limits.resume(stored, actor="ben", because="it was right")
    resumed = container.decisions.about(f"issue {stored.id}")[-1]
    assert (resumed.actor, resumed.verb) == ("ben", "resume")
    assert resumed.detail == {"because": "it was right"}


def test_a_person_may_say_afterwards_why_an_issue_was_paused(container):
    send_some(container, 1)
    stored = container.issues.find("technology", TODAY)
    with pytest.raises(NotAllowed, match="not paused by a person"):
        container.sending_limits.explain_pause(stored, actor="ana", because="a wrong figure")
    container.sending_limits.pause(stored, actor="ana", because="stopped here")

    explained = container.sending_limits.explain_pause(
        stored, actor="ana", because="a wrong figure"
    )

    assert (explained.state, explained.reason) == (IssueStatus.PAUSED, "a wrong figure")
    said = container.decisions.about(f"issue {stored.id}")[-1]
    assert (said.actor, said.verb, said.detail) == (
        "ana",
        "explain pause",
        {"because": "a wrong figure"},
    )


def test_a_send_does_not_lift_the_pause_of_the_circuit_breaker(container):
    send_some(container, 1)
    stored = container.issues.find("technology", TODAY)
    container.sending_limits.circuit_breaker = CircuitBreaker(
        after=1, refused=1, unknown=1, bounced=1, complained=-1
    )
    container.recovery.recover()

    with pytest.raises(NotAllowed, match=r"paused by the circuit breaker: 0\.0% of 3 complained"):
        container.plan_issue()
    with pytest.raises(NotAllowed, match="not paused by a person"):
        container.sending_limits.explain_pause(stored, actor="ana", because="no matter")
    paused = container.issues.get(stored.id)
    assert paused.state is IssueStatus.PAUSED
    assert paused.reason.startswith("0.0% of 3 complained")


def test_a_sendgrid_that_is_away_is_tried_while_the_issue_is_fresh_with_one_alert(container):
    container.mailer.answers = [Refused(reason="refused to connect", remedy=Remedy.RETRY)] * 80
    container.plan_issue()
    stored = container.issues.find("technology", TODAY)
    for _ in range(10):
        for batch_id, _ in container.deliveries.waiting():
            container.queue.jobs.clear()
            container.sending.send_batches([batch_id])
        container.clock.pass_time(minutes=8)

    assert container.issues.get(stored.id).state is IssueStatus.SENDING
    [(_, alert)] = container.schedule_store.pending_alerts()
    assert alert.sentence.startswith("refused to connect; nothing was sent, and it is tried again")

    container.mailer.answers = []
    for batch_id, _ in container.deliveries.waiting():
        container.sending.send_batches([batch_id])
    assert sums(container).accepted == len(READERS)


def test_what_a_person_resumes_is_tried_at_once(container):
    container.mailer.answers = [Refused(reason="refused to connect", remedy=Remedy.RETRY)]
    send_some(container, 1)
    stored = container.issues.find("technology", TODAY)
    paused = container.sending_limits.pause(stored, actor="ana", because="the network is away")

    container.sending_limits.resume(paused, actor="ana", because="it is back")

    assert {not_before for _, not_before in container.deliveries.waiting()} == {None}


def test_a_cancelled_issue_sends_nothing_more_and_its_sums_add_up(container):
    send_some(container, 1)
    claim = container.claim_first()  # one batch is in a worker's hands
    stored = container.issues.find("technology", TODAY)
    container.sending_limits.cancel(stored, actor="test", because="a wrong figure")

    container.sending._record(claim, container.mailer.send(None, None, claim))
    container.queue.work(until_empty=True)

    assert (sums(container).accepted, sums(container).skipped, sums(container).to_go) == (6, 6, 0)
    assert sums(container).adds_up
    assert container.plan_issue().state is IssueStatus.CANCELLED
    left_out = set(READERS) - set(container.mailer.addresses)
    answer = container.explaining.why(container.newsletter, left_out.pop(), TODAY)
    assert "cancelled before this letter was sent" in answer.sentence


def test_only_an_issue_on_its_way_can_be_paused_or_cancelled(container):
    stored = container.send_issue()

    with pytest.raises(NotAllowed, match="nothing to pause"):
        container.sending_limits.pause(stored, actor="test", because="too late")
    with pytest.raises(NotAllowed, match="nothing to cancel"):
        container.sending_limits.cancel(stored, actor="test", because="too late")


def test_the_rate_limit_makes_every_worker_wait(container):
    container.sending.deliveries = DeliveryStore(
        container.engine, RateLimit(per_minute=6, per_day=0, warm_up={})
    )
    container.plan_issue()
    [first, second, *_] = container.queue.jobs
    container.sending.send_batches([first])
    container.sending.send_batches([second])

    assert len(container.mailer.asked) == 1
    container.clock.pass_time(seconds=31)  # three recipients take half a minute
    container.sending.send_batches([second])
    assert len(container.mailer.asked) == 2


def test_a_worker_waits_for_moments_itself_and_puts_no_batch_back(container):
    container.sending.deliveries = DeliveryStore(
        container.engine, RateLimit(per_minute=60, per_day=0, warm_up={})
    )
    container.plan_issue()
    batches = sorted(container.queue.jobs)
    container.queue.jobs.clear()
    container.queue.patience = container.clock
    began = container.clock.now()

    container.sending.send_batches(batches)

    assert not container.queue.jobs
    assert sorted(container.mailer.addresses) == sorted(READERS)
    assert container.clock.now() - began == timedelta(seconds=3 * (len(batches) - 1))


def test_a_days_limit_leaves_the_rest_for_tomorrow(container):
    limited = DeliveryStore(container.engine, RateLimit(per_minute=0, per_day=7, warm_up={}))
    container.sending.deliveries = limited
    container.plan_issue()
    for batch_id, _ in limited.waiting():
        container.sending.send_batches([batch_id])

    [(batch_id, _), *_] = limited.waiting()
    held = limited.claim(
        batch_id, attempt_id="x", lease=timedelta(minutes=1), now=container.clock.now()
    )

    assert len(container.mailer.addresses) == 6
    assert isinstance(held, NotYet)
    assert held.until == (container.clock.now() + timedelta(days=1)).replace(hour=0, minute=0)


def test_what_was_not_sent_while_fresh_is_stale_and_never_sent_late(container):
    send_some(container, 1)
    container.clock.pass_time(hours=container.newsletter.timetable.catch_up_hours, minutes=1)

    container.queue.work(until_empty=True)
    container.recovery.recover()
    container.send_issue()

    assert len(container.mailer.asked) == 1
    assert (sums(container).accepted, sums(container).skipped, sums(container).to_go) == (3, 9, 0)
    stored = container.issues.find("technology", TODAY)
    assert (stored.state, stored.reason[:6]) == (IssueStatus.CANCELLED, "stale:")
    assert sums(container).adds_up


def test_why_an_issue_was_stopped_is_said_after_the_stop(container):
    send_some(container, 1)
    stored = container.issues.find("technology", TODAY)
    limits = container.sending_limits
    with pytest.raises(NotAllowed, match="not paused by a person"):
        limits.explain_pause(stored, actor="ana", because="a wrong figure")
    stopped = limits.pause(stored, actor="ana", because="stopped in the console")

    explained = limits.explain_pause(stopped, actor="ana", because=" a wrong\nfigure ")

    assert (explained.state, explained.reason) == (IssueStatus.PAUSED, "a wrong figure")
    decided = container.decisions.about(f"issue {stored.id}")[-1]
    assert (decided.actor, decided.verb) == ("ana", "explain pause")
    assert decided.detail == {"because": "a wrong figure"}
    with pytest.raises(NotAllowed, match="a reason is needed"):
        limits.explain_pause(stopped, actor="ana", because=" ")
    with pytest.raises(NotAllowed, match="a reason is needed"):
        limits.resume(stopped, actor="ana", because="")


def test_no_batch_is_claimed_after_a_pause_has_returned_while_workers_send(container):
    slow, sent = Event(), Event()

    def send_slowly(_: Claim) -> Accepted:
        sent.set()
        slow.wait(0.02)
        return Accepted(message_id="there")

    container.mailer.answers = [send_slowly] * 12
    stored = container.plan_issue()
    batches = [[one] for one in container.queue.jobs]
    with ThreadPoolExecutor(2) as workers:
        work = [workers.submit(container.sending.send_batches, batch) for batch in batches]
        assert sent.wait(30)
        container.sending_limits.pause(stored, actor="ana", because="a wrong figure")
        claimed = container.query("SELECT count(*) FROM attempt")
        for one in work:
            one.result(timeout=30)
    assert container.query("SELECT count(*) FROM attempt") == claimed
    assert claimed[0][0] < len(batches)
    assert container.query("SELECT state FROM batch WHERE state = 'claimed'") == []
