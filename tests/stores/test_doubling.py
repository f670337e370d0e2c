"""What a request that was accepted after all leads to: doublings are told, the left out count."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from newsletter.adapters.metrics import Metrics
from newsletter.cli.report import issue_data, print_issue
from newsletter.core.delivery import Accepted, Claim, Refused, Remedy
from newsletter.core.operator_alert import sent_twice_alert
from newsletter.core.reconciliation import Resolution
from newsletter.stores.acceptance import accept_attempts
from subscribers.db.transaction import transaction
from tests.container import TODAY, TestContainer
from tests.stores.test_acceptance import (  # the fixture among them
    LOST,
    READERS,
    TOO_LARGE,
    answer,
    claim,
    container,
    lose,
    receive_event,
    until_somebody_waits,
)

__all__ = ["container"]
pytestmark = pytest.mark.postgres


def totals(container: TestContainer):
    return container.deliveries.totals(container.issues.find("technology", TODAY).id)


def why(container: TestContainer, reader: int) -> str:
    email = f"r{reader}@example.com"
    return container.explaining.why(container.newsletter, email, TODAY).sentence


def accept(container: TestContainer, claimed: Claim) -> None:
    answer(container, claimed, Accepted(message_id="there"))


def test_two_accepted_requests_for_the_same_readers_are_reported_everywhere(
    container: TestContainer, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = lose(container)
    accept(container, claim(container))
    assert totals(container).sums.doubled == 0
    receive_event(container, lost)  # a person's word was wrong: the first was accepted, too

    found = totals(container)
    assert (found.sums.accepted, found.sums.doubled, found.doubled) == (4, 4, {lost.batch_id: 4})
    assert found.sums.adds_up
    stored = container.publishing.issue(container.newsletter, TODAY)
    assert issue_data(stored, found)["account"]["sums"]["doubled"] == 4
    assert json.dumps(issue_data(stored, found)["account"]["doubled"])
    print_issue(stored, found)
    assert f"4 twice: batch {lost.batch_id}" in capsys.readouterr().out
    for reader in range(len(READERS)):
        assert "accepted in 2 requests, so it was sent 2 times" in why(container, reader)
    metrics = Metrics(container.engine, audit=container.deliveries.audit, counts=dict)
    assert "newsletter_doubled_deliveries 4.0" in metrics().decode()
    for _ in range(2):
        container.alerting.check()
    alerts = [alert for _, alert in container.schedule_store.pending_alerts()]
    assert alerts == [sent_twice_alert("technology", TODAY, 4, 1)]
    assert alerts[0].sentence.startswith("4 readers got the letter twice: a batch was accepted")


def test_email_logs_that_show_the_first_request_tell_the_doubling(container) -> None:
    lost = lose(container)
    accept(container, claim(container))
    container.unknown_batches.record_accepted(lost.attempt_id, container.clock.now())
    assert totals(container).sums.doubled == 4


def test_an_answer_that_comes_after_the_resend_was_accepted_tells_the_doubling(container) -> None:
    late = claim(container)
    container.clock.pass_time(minutes=4)
    container.deliveries.expire_leases(container.clock.now())
    container.reconciling.resolve(
        late.batch_id, Resolution.RESEND, actor="test", because="no sign of it"
    )
    accept(container, claim(container))
    accept(container, late)
    assert totals(container).sums.doubled == 4


def test_an_event_before_its_own_answer_is_no_doubling(container) -> None:
    claimed = claim(container)
    receive_event(container, claimed)
    accept(container, claimed)
    assert totals(container).sums.doubled == 0
    assert "times" not in why(container, 0)


def test_of_a_split_resend_only_the_half_that_was_accepted_again_is_doubled(container) -> None:
    lost = lose(container)
    answer(container, claim(container), TOO_LARGE)
    half = claim(container)
    accept(container, half)
    receive_event(container, lost)
    assert totals(container).doubled == {half.batch_id: 2}
    assert sum("sent 2 times" in why(container, reader) for reader in range(4)) == 2


def test_whoever_left_before_the_resend_got_it_once(container) -> None:
    lost = lose(container)
    container.unsubscribe("r0@example.com")
    accept(container, claim(container))
    assert why(container, 0).startswith("It was requested, and SendGrid's answer was lost")
    assert totals(container).sums.skipped == 1

    receive_event(container, lost, reader=1)
    found = totals(container).sums
    assert (found.accepted, found.skipped, found.doubled) == (4, 0, 3)
    assert found.adds_up
    assert why(container, 0).startswith("SendGrid accepted it.")
    assert "times" not in why(container, 0)


def test_whoever_was_refused_by_name_in_the_resend_got_it_once(container) -> None:
    lost = lose(container)
    bad = Refused(reason="400: bad", remedy=Remedy.EJECT, offenders=(1,))
    answer(container, claim(container), bad)
    accept(container, claim(container))
    assert totals(container).sums.refused == 1
    receive_event(container, lost)
    found = totals(container).sums
    assert (found.accepted, found.refused, found.doubled) == (4, 0, 3)


def test_two_proofs_at_once_do_not_miss_each_other(container, engine: Engine) -> None:
    first, second = lose(container), claim(container)
    answer(container, second, LOST)
    container.reconciling.resolve(
        second.batch_id, Resolution.ACCEPTED, actor="test", because="seen there"
    )
    now = container.clock.now()
    with ThreadPoolExecutor() as pool:
        with transaction(engine) as session:
            accept_attempts(session, [first.attempt_id], now, evidence="a test proved")
            other = pool.submit(container.unknown_batches.record_accepted, second.attempt_id, now)
            until_somebody_waits(engine)
        other.result()
    assert totals(container).sums.doubled == 4


@pytest.mark.parametrize("proof", ["event", "late answer"])
def test_requested_and_put_back_and_cancelled_is_moved_by_proof(container, proof: str) -> None:
    lost = lose(container)
    stored = container.publishing.issue(container.newsletter, TODAY)
    container.sending_limits.cancel(stored, actor="test", because="a wrong figure")
    before = totals(container)
    assert (before.sums.skipped, before.skips) == (4, {"cancelled_after_request": 4})
    assert why(container, 0) == (
        "It was requested, and SendGrid's answer was lost, so it may have been sent. "
        "It was not requested again: the issue was cancelled."
    )

    if proof == "event":
        receive_event(container, lost)
    else:
        container.unknown_batches.record_accepted(lost.attempt_id, container.clock.now())
    found = totals(container)
    assert (found.sums.accepted, found.sums.skipped, found.batches) == (4, 0, {"accepted": 1})
    assert found.sums.adds_up
    assert "SendGrid accepted it." in why(container, 3)


def test_requested_and_put_back_and_stale_is_moved_by_proof(container, engine: Engine) -> None:
    lost = lose(container)
    container.query("UPDATE issue SET send_by = :now", now=container.clock.now())
    container.sending_limits.enforce()
    assert totals(container).skips == {"stale_after_request": 4}
    receive_event(container, lost)
    assert totals(container).sums.accepted == 4


def test_a_request_that_was_refused_for_certain_leaves_only_the_cancellation(container) -> None:
    busy = Refused(reason="429", remedy=Remedy.RETRY)
    answer(container, claim(container), busy)
    stored = container.publishing.issue(container.newsletter, TODAY)
    container.sending_limits.cancel(stored, actor="test", because="a wrong figure")
    assert totals(container).skips == {"cancelled": 4}
    assert "skipped at the last moment" in why(container, 0)
