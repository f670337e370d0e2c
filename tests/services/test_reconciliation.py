"""Unknown batches: sent again once when events are absent, or by a person; never by guess."""

import pytest
from sqlalchemy import Engine, text

from newsletter.core.delivery import Unknown
from newsletter.core.reconciliation import Reconciliation, Resolution
from newsletter.core.stored import IssueStatus
from newsletter.errors import NotAllowed
from newsletter.stores.unknown_batches import UnknownBatchStore
from tests.container import TODAY, TestContainer, open_container

pytestmark = pytest.mark.postgres

READERS = {f"r{n}@example.com": "" for n in range(9)}
LOST = Unknown(reason="the line went dead")


@pytest.fixture
def container(engine: Engine, tmp_path) -> TestContainer:
    """A container where the first of three batches got no answer."""
    container = open_container(engine)
    container.receive("chips")
    container.subscribe(tmp_path, READERS)
    container.mailer.answers = [LOST]
    container.send_issue()
    return container


def sums(container: TestContainer):
    return container.deliveries.totals(container.issues.find("technology", TODAY).id).sums


def receive_others(container: TestContainer) -> None:
    """Let an event come of each accepted batch."""
    with container.engine.begin() as connection:
        connection.execute(
            text("""UPDATE delivery SET state = 30 FROM batch
                     WHERE batch.issue_id = delivery.issue_id AND batch.state = 'accepted'
                       AND place BETWEEN first_place AND last_place""")
        )


def test_absence_while_other_events_come_permits_one_resend(container):
    receive_others(container)
    container.listen(minutes=16)
    container.recovery.recover()
    container.queue.work(until_empty=True)

    assert (sums(container).unknown, sums(container).accepted) == (0, 9)
    assert len(container.mailer.asked) == 4


def test_what_was_decided_of_one_request_is_not_done_to_a_later_one(container, engine):
    [(before, _)] = container.reconciling.unknown_batches()
    container.mailer.answers = [LOST]
    container.reconciling.resolve(
        before.batch_id, Resolution.RESEND, actor="test", because="not there"
    )
    container.recovery.recover()
    container.queue.work(until_empty=True)
    [(after, _)] = container.reconciling.unknown_batches()
    assert after.batch_id == before.batch_id

    resend = UnknownBatchStore(engine).resolve
    assert not resend(before.batch_id, Resolution.RESEND, "no event", before.attempts)
    assert resend(after.batch_id, Resolution.RESEND, "no event", after.attempts)


def test_before_the_quiet_period_is_over_nothing_is_sent_again(container):
    receive_others(container)
    container.listen(minutes=14)
    container.recovery.recover()
    container.queue.work(until_empty=True)

    assert sums(container).unknown == 3
    assert [found for _, found in container.reconciling.unknown_batches()] == [Reconciliation.WAIT]


def test_absence_of_all_events_permits_nothing(container):
    container.clock.pass_time(days=1)
    container.recovery.recover()
    container.queue.work(until_empty=True)

    assert len(container.mailer.asked) == 3
    assert [found for _, found in container.reconciling.unknown_batches()] == [
        Reconciliation.PERSON
    ]


def test_a_batch_lost_twice_waits_for_a_person(container):
    receive_others(container)
    container.listen(minutes=16)
    container.mailer.answers = [LOST]
    container.recovery.recover()
    container.queue.work(until_empty=True)
    container.clock.pass_time(days=1)
    container.recovery.recover()
    container.queue.work(until_empty=True)

    assert len(container.mailer.asked) == 4
    assert [found for _, found in container.reconciling.unknown_batches()] == [
        Reconciliation.PERSON
    ]


@pytest.mark.parametrize(
    "ruling, unknown, accepted, refused, requests",
    [
        (Resolution.ACCEPTED, 0, 9, 0, 3),
        (Resolution.REFUSED, 0, 6, 3, 3),
        (Resolution.RESEND, 0, 9, 0, 4),
    ],
)
def test_a_person_resolves_with_a_reason_on_record(
    container, ruling, unknown, accepted, refused, requests
):
    [(batch, _)] = container.reconciling.unknown_batches()
    container.reconciling.resolve(
        batch.batch_id, ruling, actor="test", because="the provider said so"
    )
    container.recovery.recover()
    container.queue.work(until_empty=True)

    found = sums(container)
    assert (found.unknown, found.accepted, found.refused) == (unknown, accepted, refused)
    assert found.adds_up
    assert len(container.mailer.asked) == requests
    assert container.issues.find("technology", TODAY).state is IssueStatus.SENT
    with pytest.raises(NotAllowed, match="nothing to resolve"):
        container.reconciling.resolve(batch.batch_id, ruling, actor="test", because="again")


def test_an_issue_with_an_unknown_batch_is_sent_only_once_that_is_known(container):
    def status() -> tuple[IssueStatus, bool]:
        stored = container.publishing.issue(container.newsletter, TODAY)
        return stored.state, bool(container.deliveries.totals(stored.id).awaited)

    assert status() == (IssueStatus.SENDING, True)
    again = container.planning.hand_over(container.newsletter, TODAY)
    assert (again.planned, again.issue.state) == (False, IssueStatus.SENDING)
    assert container.limit_store.sending_issues() == ()  # nothing of it is left to be stopped

    stored = container.sending.work_on(again.issue, lambda *_: None)  # and it ends
    assert stored.state is IssueStatus.SENDING

    [(batch, _)] = container.reconciling.unknown_batches()
    container.reconciling.resolve(
        batch.batch_id, Resolution.RESEND, actor="test", because="the provider said so"
    )
    assert status() == (IssueStatus.SENDING, False)
    container.recovery.recover()
    container.queue.work(until_empty=True)
    assert status() == (IssueStatus.SENT, False)


def test_nothing_is_resolved_paused_or_cancelled_without_a_reason(container):
    [(batch, _)] = container.reconciling.unknown_batches()
    with pytest.raises(NotAllowed, match="a reason is needed"):
        container.reconciling.resolve(
            batch.batch_id, Resolution.ACCEPTED, actor="test", because=" "
        )
    stored = container.publishing.issue(container.newsletter, TODAY)
    for act in (container.sending_limits.pause, container.sending_limits.cancel):
        with pytest.raises(NotAllowed, match="a reason is needed"):
            act(stored, actor="test", because="")
    assert sums(container).unknown == 3


def test_a_resend_by_evidence_says_so_in_plain_words(container):
    receive_others(container)
    container.listen(minutes=16)
    container.reconciling.by_events()
    [(reason,)] = container.query("SELECT reason FROM batch WHERE state = 'planned'")
    assert reason == (
        "sent again after reconciliation by events: no event came, while others did throughout"
    )
