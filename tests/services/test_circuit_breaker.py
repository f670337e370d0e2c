"""The circuit breaker on its way: it judges on enough, waits for proof, and goes on by itself."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from newsletter.core.circuit_breaker import CircuitBreaker
from newsletter.core.delivery import Accepted, Claim, NotYet, Outcome, Unknown
from newsletter.core.operator_alert import OperatorAlertKind
from newsletter.core.stored import IssueStatus, StoredIssue
from newsletter.errors import NotAllowed
from tests.container import TODAY, TestContainer, ids_of, open_container

pytestmark = pytest.mark.postgres

READERS = {f"r{n:02}@example.com": "" for n in range(30)}  # ten batches of three
LOST = Unknown(reason="the answer was lost")
BREAKER = CircuitBreaker(
    after=6, requests=5, refused=0.5, unknown=0.2, bounced=0.1, complained=0.05, unknown_minutes=5
)


@pytest.fixture
def container(engine: Engine, tmp_path) -> TestContainer:
    container = open_container(engine)
    container.receive("chips")
    container.subscribe(tmp_path, READERS)
    container.sending_limits.circuit_breaker = BREAKER
    return container


def current(container: TestContainer) -> StoredIssue:
    stored = container.issues.find("technology", TODAY)
    assert stored
    return stored


def sums(container: TestContainer):
    return container.deliveries.totals(current(container).id).sums


def go_on(container: TestContainer) -> None:
    """Do what the scheduler does every half minute, and let a worker go on."""
    container.recovery.recover()
    container.queue.work(until_empty=True)


def send_batches(container: TestContainer, count: int) -> None:
    """Send so many batches, as a worker that takes one job after another."""
    for batch_id in sorted(container.queue.jobs)[:count]:
        container.queue.jobs.pop(batch_id)
        container.sending.send_batches([batch_id])


def report(container: TestContainer, kind: str, claim: Claim, reader: int = 0) -> None:
    event = {"event": kind, "sg_event_id": f"{kind}-{claim.attempt_id}-{reader}", "timestamp": 1}
    email = claim.recipients[reader].email
    container.receive_events(event | {"email": email} | ids_of(claim, reader))


def lose(container: TestContainer, *requests: int) -> None:
    """Lose the answers to these requests, counted from 1."""

    def answer(claim: Claim) -> Outcome:
        if len(container.mailer.asked) in requests:
            return LOST
        return Accepted(message_id=claim.attempt_id)

    container.mailer.answers = [answer] * 99


def alerts(container: TestContainer) -> list[OperatorAlertKind]:
    return [alert.kind for _, alert in container.schedule_store.pending_alerts()]


def test_one_lost_answer_in_ten_batches_pauses_nothing_and_nobody_needs_to_come(container):
    lose(container, 2)

    container.send_issue()

    assert current(container).state is IssueStatus.SENDING  # until it is known what became of it
    assert (sums(container).accepted, sums(container).unknown) == (27, 3)
    report(container, "delivered", container.mailer.asked[1][2])
    assert current(container).state is IssueStatus.SENT
    assert alerts(container) == []


def test_many_lost_answers_hold_the_rest_until_proof_comes_without_pausing(container):
    lose(container, 2, 4)
    container.plan_issue()
    send_batches(container, 5)  # two of five are lost, but only just

    send_batches(container, 5)

    assert len(container.mailer.asked) == 5
    assert current(container).state is IssueStatus.SENDING
    assert "waits for proof of lost answers, 5 minutes at most: 40.0%" in current(container).reason
    lost = [container.mailer.asked[number][2] for number in (1, 3)]
    report(container, "delivered", lost[0])
    container.clock.pass_time(minutes=1)
    go_on(container)
    assert len(container.mailer.asked) == 10
    assert current(container).reason is None
    report(container, "delivered", lost[1])
    assert current(container).state is IssueStatus.SENT
    assert alerts(container) == []


def test_a_batch_that_is_held_comes_back_while_it_is_looked_at(container):
    lose(container, 1, 2)
    container.plan_issue()
    send_batches(container, 5)
    [(batch_id, _), *_] = container.deliveries.waiting()

    now = container.clock.now()
    held = container.deliveries.claim(batch_id, attempt_id="x", lease=timedelta(minutes=1), now=now)

    assert isinstance(held, NotYet)
    assert 30 < (held.until - now).total_seconds() <= 60


def test_lost_answers_without_proof_pause_it_once_they_are_old_enough(container):
    pause_by_losses(container)

    stored = current(container)
    assert (stored.state, stored.paused_by) == (IssueStatus.PAUSED, "the circuit breaker")
    assert "40.0% of 15 unknown, the limit is 20.0%; it goes on by itself" in stored.reason
    assert alerts(container) == [OperatorAlertKind.PAUSED]
    assert len(container.mailer.asked) == 5


def test_it_goes_on_by_itself_once_evidence_refutes_what_tripped_it_and_says_so(container):
    lost = pause_by_losses(container)

    report(container, "delivered", lost)
    go_on(container)

    assert current(container).state is IssueStatus.SENDING
    assert (sums(container).accepted, sums(container).unknown) == (27, 3)
    assert alerts(container) == [OperatorAlertKind.PAUSED, OperatorAlertKind.WENT_ON]
    decision = container.decisions.about(f"issue {current(container).id}")[-1]
    assert (decision.actor, decision.verb) == ("the circuit breaker", "resume")
    assert "of 15 now 3 are unknown" in decision.detail["because"]


def test_it_does_not_go_on_once_a_person_has_paused_it_too(container):
    lost = pause_by_losses(container)
    container.sending_limits.pause(current(container), actor="ana", because="a wrong headline")

    report(container, "delivered", lost)
    go_on(container)

    stored = current(container)
    assert (stored.state, stored.paused_by) == (IssueStatus.PAUSED, "ana")
    assert len(container.mailer.asked) == 5


def test_complaints_that_come_meanwhile_need_a_person(container):
    lost = pause_by_losses(container)
    other = [claim for _, _, claim in container.mailer.asked][2]
    report(container, "spamreport", other)

    report(container, "delivered", lost)
    go_on(container)

    stored = current(container)
    assert stored.state is IssueStatus.PAUSED
    assert "complained, the limit is 5.0%" in stored.reason
    with pytest.raises(NotAllowed, match="nothing to pause"):  # it waits for a person already
        container.sending_limits.pause(stored, actor="ana", because="too many")


def test_bounces_never_end_by_themselves(container):
    container.plan_issue()
    send_batches(container, 5)
    claims = [claim for _, _, claim in container.mailer.asked]
    for claim in claims[:2]:
        report(container, "bounce", claim)
    assert current(container).state is IssueStatus.PAUSED

    container.clock.pass_time(hours=1)
    go_on(container)

    assert current(container).state is IssueStatus.PAUSED


def test_bounces_trip_it_as_they_arrive_and_not_only_when_the_scheduler_looks(container):
    container.plan_issue()
    send_batches(container, 3)
    claims = [claim for _, _, claim in container.mailer.asked]
    report(container, "bounce", claims[0])

    send_batches(container, 7)

    assert len(container.mailer.asked) == 3
    assert current(container).state is IssueStatus.PAUSED


def test_after_a_person_resumed_it_it_looks_again_at_the_fewest_letters_that_count(container):
    container.plan_issue()
    send_batches(container, 3)
    report(container, "bounce", next(claim for _, _, claim in container.mailer.asked))
    container.clock.pass_time(minutes=1)
    container.sending_limits.resume(current(container), actor="ana", because="looked into it")

    def bounces(claim: Claim) -> Outcome:  # stored by another process, which looks at nothing
        container.query(
            "UPDATE delivery SET state = 70 WHERE issue_id = :issue AND place = :place",
            issue=claim.issue_id,
            place=claim.recipients[0].place,
        )
        return Accepted(message_id=claim.attempt_id)

    container.mailer.answers = [bounces] * 99
    for batch_id, _ in container.deliveries.waiting():
        container.queue.enqueue([batch_id])
    container.queue.work(until_empty=True)

    assert len(container.mailer.asked) == 3 + 2  # six recipients were enough
    assert current(container).state is IssueStatus.PAUSED


def test_a_send_that_waits_in_this_process_judges_held_issues_itself(container):
    lose(container, 2, 4)
    container.plan_issue()
    send_batches(container, 5)
    container.clock.pass_time(minutes=6)

    container.sending.work_on(current(container), lambda *_: None)

    assert current(container).state is IssueStatus.PAUSED
    assert len(container.mailer.asked) == 5


def pause_by_losses(container: TestContainer) -> Claim:
    """Lose two answers of five, and let them grow old; return one of the requests."""
    lose(container, 2, 4)
    container.plan_issue()
    send_batches(container, 5)
    container.clock.pass_time(minutes=6)
    container.recovery.recover()
    container.queue.jobs.clear()
    return [claim for _, _, claim in container.mailer.asked][1]
