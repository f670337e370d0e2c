"""No events count as absence only on a line that received others throughout, never seen broken."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from newsletter.adapters.sendgrid.payload import (
    ATTEMPT_ARG,
    DELIVERY_ARG,
    INSTALLATION_ARG,
    ISSUE_ARG,
)
from newsletter.core.delivery import Unknown
from newsletter.core.reconciliation import (
    Absent,
    Judgement,
    Probe,
    Reconciliation,
    Shown,
    Sighting,
    Unavailable,
)
from newsletter.errors import EventNotAuthentic
from tests.container import TestContainer, open_container

pytestmark = pytest.mark.postgres

READERS = {f"r{n}@example.com": "" for n in range(9)}
LOST = Unknown(reason="the line went dead")
WEBHOOK_EVENT = {"event": "delivered", "sg_event_id": "one", "timestamp": 1_795_000_000}


@dataclass
class Logs:
    """Email Logs with one answer to everything."""

    answer: Sighting = field(default_factory=Absent)
    asked: list[Probe] = field(default_factory=list)

    def seek(self, probe: Probe) -> Sighting:
        self.asked.append(probe)
        return self.answer

    def obstacle(self) -> str | None:
        return None


@pytest.fixture
def logs() -> Logs:
    return Logs(Unavailable("no permission"))


@pytest.fixture
def container(engine: Engine, tmp_path, logs: Logs) -> TestContainer:
    """A container where the first of three batches got no answer; the others had events."""
    container = open_container(engine, email_logs=logs)
    container.receive("chips")
    container.subscribe(tmp_path, READERS)
    container.mailer.answers = [LOST]
    container.send_issue()
    container.query(
        "UPDATE delivery SET state = 30 FROM batch"
        " WHERE place BETWEEN first_place AND last_place AND batch.state = 'accepted'"
    )
    return container


def judged(container: TestContainer) -> Judgement:
    [(_, judgement)] = container.reconciling.judgements()
    return judgement


def requests(container: TestContainer) -> int:
    """Let the service do what it may; return how many requests were made so far."""
    container.recovery.recover()
    container.queue.work(until_empty=True)
    return len(container.mailer.asked)


def test_a_line_that_received_throughout_permits_the_resend(container: TestContainer) -> None:
    container.listen(minutes=16)
    assert requests(container) == 4


def test_a_line_that_was_down_while_the_process_lived_permits_nothing(
    container: TestContainer,
) -> None:
    start = container.clock.now()
    container.listen(minutes=2)
    for _ in range(20):  # the proxy is down: nothing arrives, and nothing is seen to fail
        container.reconciling.record_receiving()
        container.clock.pass_time(minutes=1)
    container.listen(minutes=20)  # restored; what came last is posted first
    found = judged(container)
    assert found.reconciliation is Reconciliation.HELD
    assert found.why.startswith("no events came from 2026-11-23 10:01:00 UTC to ")
    assert found.until == start + timedelta(minutes=22, hours=24)
    assert requests(container) == 3


def test_one_event_ever_is_not_others_throughout(container: TestContainer) -> None:
    container.listen(minutes=1)
    for _ in range(20):
        container.reconciling.record_receiving()
        container.clock.pass_time(minutes=1)
    assert judged(container).reconciliation is Reconciliation.HELD
    assert requests(container) == 3


def test_a_refused_post_begins_the_wait_anew(container: TestContainer) -> None:
    container.listen(minutes=5)
    with pytest.raises(EventNotAuthentic):
        container.event_intake.receive(b"[]", {})
    container.listen(minutes=11)
    assert "a post to the webhook failed at 2026-11-23 10:05:00 UTC" in judged(container).why
    assert requests(container) == 3


def test_a_post_that_could_not_be_stored_begins_it_anew(
    container: TestContainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    container.listen(minutes=5)
    with monkeypatch.context() as patched:
        patched.setattr(container.events, "record", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            container.receive_events(WEBHOOK_EVENT)
    container.listen(minutes=11)
    assert judged(container).reconciliation is Reconciliation.HELD
    assert requests(container) == 3


@pytest.mark.parametrize("down", [1, 10])
def test_a_restart_begins_it_anew(container: TestContainer, down: int) -> None:
    container.listen(minutes=5)
    container.clock.pass_time(minutes=down)
    restarted = container.restarted()
    restarted.reconciling.start_receiving()
    restarted.listen(minutes=16)
    found = judged(restarted)
    assert found.reconciliation is Reconciliation.HELD
    assert "received events from" in found.why or "no events came from" in found.why
    assert requests(restarted) == 3


def test_a_second_process_that_lives_on_bridges_a_restart(container: TestContainer) -> None:
    other = container.restarted()
    other.reconciling.start_receiving()
    for _ in range(8):
        other.reconciling.record_receiving()
        container.listen(minutes=1)
    container.reconciling.start_receiving()
    for _ in range(8):
        other.reconciling.record_receiving()
        container.listen(minutes=1)
    assert requests(container) == 4


def test_a_process_that_stood_still_was_not_receiving(container: TestContainer) -> None:
    container.listen(minutes=5)
    container.clock.pass_time(minutes=2)
    container.listen(minutes=10)
    assert "nothing received events from" in judged(container).why


def test_posts_of_other_installations_do_not_count(container: TestContainer) -> None:
    for _ in range(16):
        container.reconciling.record_receiving()
        container.webhook_line.record_post(["foreign"], container.clock.now())
        container.clock.pass_time(minutes=1)
    assert judged(container).reconciliation is Reconciliation.HELD


def test_a_post_counts_when_it_arrives_whatever_its_events_say(container: TestContainer) -> None:
    [(delivery, attempt)] = container.query(
        "SELECT batch.first_place, attempt.id FROM batch JOIN attempt ON batch_id = batch.id"
        " WHERE outcome = 'accepted' LIMIT 1"
    )
    for n in range(16):
        container.reconciling.record_receiving()
        ids = {"sg_event_id": f"event-{n}", **_bearing(container, delivery, attempt)}
        container.receive_events(WEBHOOK_EVENT | ids)
        container.clock.pass_time(minutes=1)
    assert judged(container).reconciliation is Reconciliation.RESEND


def _bearing(container: TestContainer, place: int, attempt: str) -> dict[str, str]:
    installation = container.installations.current().id
    [(issue,)] = container.query("SELECT id FROM issue")
    delivery = {ISSUE_ARG: str(issue), DELIVERY_ARG: str(place)}
    return {**delivery, ATTEMPT_ARG: attempt, INSTALLATION_ARG: installation}


def test_many_posts_in_a_moment_are_stored_once(container: TestContainer) -> None:
    for _ in range(50):
        container.webhook_line.record_post(["attempt-2"], container.clock.now())
        container.webhook_line.remember_failure(container.clock.now())
    container.reconciling.record_receiving()
    assert container.query("SELECT failed, count(*) FROM webhook_post GROUP BY 1 ORDER BY 1") == [
        (False, 1),
        (True, 1),
    ]


@pytest.mark.parametrize(
    "answer, made", [(Shown("attempt-1"), 3), (Absent(), 4), (Unavailable("429"), 4)]
)
def test_email_logs_are_asked_before_the_machine_sends_again(
    container: TestContainer, logs: Logs, answer: Sighting, made: int
) -> None:
    logs.answer = answer
    container.listen(minutes=16)
    assert requests(container) == made
    assert logs.asked
    [(issue,)] = container.query("SELECT id FROM issue")
    assert container.deliveries.totals(issue).sums.accepted == 9
