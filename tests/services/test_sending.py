"""Planning, claiming, sending and recording, on real PostgreSQL, a mailer answering as scripted."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from newsletter.core.delivery import Refused, Remedy, Unknown
from newsletter.core.publication import ApprovalPolicy
from newsletter.core.stored import IssueStatus
from newsletter.errors import NotAllowed
from subscribers.model import Suppression, SuppressionReason
from tests.container import TODAY, TestContainer, brief, open_container
from tests.settings import TECHNOLOGY
from tests.waiting import until_somebody_waits

pytestmark = pytest.mark.postgres

READERS = {f"r{n}@example.com": topics for n, topics in enumerate(["", "chips", "security"] * 3)}


@pytest.fixture
def container(engine: Engine, tmp_path) -> TestContainer:
    container = open_container(engine)
    container.receive("chips", "security")
    container.subscribe(tmp_path, READERS)
    return container


def sums(container: TestContainer):
    return container.deliveries.totals(container.issues.find("technology", TODAY).id).sums


def why(container: TestContainer, email: str) -> str:
    return container.explaining.why(container.newsletter, email, TODAY).sentence


def test_everyone_is_sent_the_issue_once(container):
    stored = container.send_issue()

    assert stored.state is IssueStatus.SENT
    assert sorted(container.mailer.addresses) == sorted(READERS)
    assert sums(container).accepted == sums(container).audience == 9
    assert sums(container).adds_up


def test_each_reader_gets_the_edition_of_their_topics(container):
    container.send_issue()

    for _, letter, claim in container.mailer.asked:
        for recipient in claim.recipients:
            topics = READERS[recipient.email]
            assert ("wafer" in letter.text) == (topics in ("", "chips"))
            assert ("buffer" in letter.text) == (topics in ("", "security"))


@pytest.mark.usefixtures("set_in_type_anew")
def test_one_compile_and_one_inlining_whatever_the_editions(container):
    container.send_issue()

    assert len({letter.subject for _, letter, _ in container.mailer.asked}) == 2
    assert (container.renderer.compiles, container.renderer.inlinings) == (1, 1)


def test_a_second_send_plans_and_sends_nothing(container):
    container.send_issue()
    before, asked = container.rows(), len(container.mailer.asked)

    container.send_issue()

    assert (container.rows(), len(container.mailer.asked)) == (before, asked)


def test_sending_goes_on_where_it_stopped(container):
    container.plan_issue()
    container.queue.jobs.popitem()  # a job that got lost
    container.queue.work(until_empty=True)
    assert sums(container).to_go > 0

    container.send_issue()

    assert sums(container).to_go == 0
    assert sorted(container.mailer.addresses) == sorted(READERS)


def test_an_unsubscribe_between_plan_and_send_counts(container):
    container.plan_issue()
    container.unsubscribe("r1@example.com")
    container.subscriptions.suppress(
        [
            Suppression(
                email="r2@example.com",
                reason=SuppressionReason.COMPLAINT,
                source="test",
                since=container.clock.now(),
            )
        ]
    )

    container.send_issue()

    assert not {"r1@example.com", "r2@example.com"} & set(container.mailer.addresses)
    assert (sums(container).skipped, sums(container).accepted) == (2, 7)
    assert sums(container).adds_up
    assert "skipped at the last moment" in why(container, "r1@example.com")


def test_a_batch_whose_readers_all_left_asks_nobody(container):
    container.plan_issue()
    for email in READERS:
        container.unsubscribe(email)

    stored = container.send_issue()

    assert container.mailer.asked == []
    assert stored.state is IssueStatus.SENT
    assert (sums(container).skipped, sums(container).to_go) == (9, 0)


def test_excluded_subscribers_have_their_reason(container, tmp_path):
    container.subscribe(tmp_path, {"robots@example.com": "robotics"})
    container.unsubscribe("r1@example.com")
    container.send_issue()

    account = container.deliveries.totals(container.issues.find("technology", TODAY).id)

    assert account.exclusions == {"ended": 1, "no_story": 1}
    assert "topics they chose" in why(container, "robots@example.com")
    assert "had ended" in why(container, "r1@example.com")
    assert "no subscription" in why(container, "stranger@example.com")


def test_a_subscriber_who_came_after_the_plan_waits_for_the_next_issue(container, tmp_path):
    container.send_issue()
    container.subscribe(tmp_path, {"late@example.com": ""})

    assert "came after" in why(container, "late@example.com")
    assert sums(container).adds_up


def test_an_unknown_answer_is_never_asked_again(container):
    container.mailer.answers = [Unknown(reason="the line went dead")]
    container.send_issue()
    asked = len(container.mailer.asked)

    container.clock.pass_time(days=1)
    container.recovery.recover()
    container.send_issue()

    assert len(container.mailer.asked) == asked
    assert len(set(container.mailer.addresses)) == len(container.mailer.addresses)
    assert sums(container).unknown == len(container.mailer.asked[0][2].recipients)
    lost = container.mailer.asked[0][2].recipients[0].email
    assert "the line went dead" in why(container, lost)


def test_a_refused_recipient_is_taken_out_and_the_rest_is_sent(container):
    container.mailer.answers = [Refused(reason="400: bad", remedy=Remedy.EJECT, offenders=(1,))]
    container.send_issue()

    offender = container.mailer.asked[0][2].recipients[1].email

    assert container.mailer.addresses.count(offender) == 1  # asked for once, refused, not again
    assert (sums(container).refused, sums(container).accepted) == (1, 8)
    assert sums(container).adds_up
    assert "refused this recipient: 400: bad" in why(container, offender)


def test_each_refused_recipient_has_a_reason_of_its_own(container):
    refused = Refused(
        reason="400: bad address; no name",
        remedy=Remedy.EJECT,
        offenders=(0, 1),
        reasons={0: "400: bad address", 1: "400: no name"},
    )
    container.mailer.answers = [refused]
    stored = container.send_issue()

    totals = container.deliveries.totals(stored.id)
    assert totals.refusals == {"400: bad address": 1, "400: no name": 1}


def test_a_request_that_never_reached_sendgrid_is_none(container):
    away = Refused(reason="not sent: no route", remedy=Remedy.RETRY, reached=False)
    container.mailer.answers = [away, away, Unknown(reason="lost")]
    stored = container.plan_issue()
    for _ in range(2):
        for batch_id, _ in container.deliveries.waiting():
            container.sending.send_batches([batch_id])
        container.clock.pass_time(minutes=1)

    assert len(container.mailer.asked) == 5
    assert container.deliveries.totals(stored.id).requests == 3


def test_a_request_that_is_too_large_is_halved(container):
    too_large = Refused(reason="413", remedy=Remedy.SPLIT)
    container.mailer.answers = [too_large, too_large]
    container.send_issue()

    assert sums(container).accepted == 9
    assert sums(container).adds_up
    assert min(len(claim.recipients) for _, _, claim in container.mailer.asked[2:]) == 1


def test_a_letter_that_is_too_large_alone_is_refused(engine, tmp_path):
    container = open_container(engine)
    container.receive("chips")
    container.subscribe(tmp_path, {"one@example.com": ""})
    container.mailer.answers = [Refused(reason="413", remedy=Remedy.SPLIT)]

    assert container.send_issue().state is IssueStatus.SENT
    assert sums(container).refused == 1
    assert sums(container).adds_up


def test_a_wait_holds_every_batch_until_its_moment(container):
    wait = Refused(reason="429", remedy=Remedy.WAIT, wait=timedelta(minutes=2))
    container.mailer.answers = [wait]
    container.plan_issue()
    first, second, *_ = container.queue.jobs
    container.sending.send_batches([first])
    container.sending.send_batches([second])
    assert len(container.mailer.asked) == 1

    container.clock.pass_time(minutes=2, seconds=1)
    container.send_issue()

    assert sorted(set(container.mailer.addresses)) == sorted(READERS)
    assert sums(container).accepted == 9


def test_a_batch_that_never_left_is_tried_again_later(container):
    container.mailer.answers = [Refused(reason="not sent", remedy=Remedy.RETRY)]
    container.plan_issue()
    [first, *_] = container.queue.jobs
    container.queue.jobs.pop(first)
    container.sending.send_batches([first])

    assert container.queue.jobs[first] == container.clock.now() + timedelta(seconds=2)
    container.clock.pass_time(seconds=3)
    container.send_issue()
    assert sums(container).accepted == 9


def test_a_refused_key_pauses_the_issue_and_a_person_resumes_it(container):
    container.mailer.answers = [Refused(reason="401: no such key", remedy=Remedy.PAUSE)]
    stored = container.send_issue()

    assert (stored.state, stored.reason) == (IssueStatus.PAUSED, "401: no such key")
    assert len(container.mailer.asked) == 1
    assert sums(container).to_go == 9

    container.sending_limits.resume(stored, actor="ana", because="a new key")
    assert container.send_issue().state is IssueStatus.SENT
    assert sums(container).accepted == 9


def test_a_worker_that_died_leaves_an_unknown_that_has_a_name(container):
    container.plan_issue()
    claim = container.claim_first()
    assert container.recovery.recover() == 0  # it may still be at work

    container.clock.pass_time(minutes=4)
    assert container.recovery.recover() == 1
    container.send_issue()

    assert sums(container).unknown == len(claim.recipients)
    assert sums(container).adds_up
    assert not set(container.mailer.addresses) & {r.email for r in claim.recipients}
    assert "never recorded an answer" in why(container, claim.recipients[0].email)


def test_an_answer_after_the_lease_still_counts(container):
    container.plan_issue()
    claim = container.claim_first()
    container.clock.pass_time(minutes=4)
    container.recovery.recover()

    container.sending._record(claim, container.mailer.send(None, None, claim))
    container.queue.work(until_empty=True)

    assert (sums(container).unknown, sums(container).accepted) == (0, 9)


def test_two_workers_cannot_hold_one_batch(container):
    container.plan_issue()
    claim = container.claim_first()

    container.sending.send_batches([claim.batch_id])

    assert container.mailer.asked == []


def test_what_changed_after_approval_is_not_sent(container):
    container.publishing.assemble(container.newsletter, TODAY)
    other = replace(
        container.newsletter,
        sender=replace(container.newsletter.sender, email="x@news.example.com"),
    )

    with pytest.raises(NotAllowed, match="not what was approved"):
        container.planning.hand_over(other, TODAY)
    assert container.rows()["delivery"] == 0


def test_assembling_again_voids_an_approval_that_no_longer_fits(container):
    container.publishing.assemble(container.newsletter, TODAY)
    other = replace(container.newsletter, reply_to=container.newsletter.sender)
    container.batch_mailer._newsletters = {other.slug: other}

    stored = container.publishing.assemble(other, TODAY)
    container.planning.hand_over(other, TODAY)
    container.queue.work(until_empty=True)

    assert stored.state is IssueStatus.APPROVED
    assert container.mailer.asked[0][0].reply_to == other.reply_to


@pytest.mark.parametrize("days, reason", [(1, "in the future"), (-3, "too long ago")])
def test_an_issue_is_assembled_for_its_own_day(container, days, reason):
    with pytest.raises(NotAllowed, match=reason):
        container.publishing.assemble(container.newsletter, TODAY + timedelta(days=days))


def test_what_changed_after_the_plan_pauses_the_issue(container):
    container.plan_issue()
    renamed = replace(container.newsletter, reply_to=container.newsletter.sender)
    container.batch_mailer._newsletters = {renamed.slug: renamed}
    container.queue.work(until_empty=True)

    stored = container.issues.find("technology", TODAY)

    assert container.mailer.asked == []
    assert stored.state is IssueStatus.PAUSED
    assert "not what was approved" in stored.reason


def test_a_key_that_is_refused_beforehand_plans_nothing(container):
    container.mailer.trouble = "SendGrid refuses the key."

    with pytest.raises(NotAllowed, match="refuses the key"):
        container.plan_issue()
    assert container.rows()["delivery"] == 0


def test_without_a_postal_address_nothing_is_sent(engine, tmp_path):
    container = open_container(engine, replace(TECHNOLOGY, postal_address=" "))
    container.receive("chips")
    container.subscribe(tmp_path, READERS)

    with pytest.raises(NotAllowed, match="postal address"):
        container.plan_issue()
    assert container.rows()["delivery"] == 0


def test_a_day_without_briefs_is_empty_and_sends_nothing(engine, tmp_path):
    container = open_container(engine)
    container.subscribe(tmp_path, READERS)

    assert container.send_issue().state is IssueStatus.EMPTY
    assert container.mailer.asked == []

    container.receive("chips")  # a late brief may still fill the day
    assert container.send_issue().state is IssueStatus.SENT


def test_an_issue_that_waits_for_a_person_is_not_sent_before(engine, tmp_path):
    container = open_container(engine, replace(TECHNOLOGY, approval=ApprovalPolicy.PERSON))
    container.receive("chips")
    container.subscribe(tmp_path, READERS)

    with pytest.raises(NotAllowed, match="not approved"):
        container.plan_issue()
    container.publishing.approve(container.newsletter, TODAY, actor="test")
    assert container.send_issue().state is IssueStatus.SENT


def test_a_revision_before_sending_is_what_is_sent(container):
    container.publishing.assemble(container.newsletter, TODAY)
    changed = brief("chips", summary="The foundry has corrected its figures: a third, not a half.")
    container.intake.receive(changed)
    assert container.issues.find("technology", TODAY).state is IssueStatus.DRAFT

    container.send_issue()

    assert any("a third, not a half" in letter.text for _, letter, _ in container.mailer.asked)
    assert not any(
        "told in a sentence" in letter.text
        and "wafer" in letter.text
        and "buffer" not in letter.text
        for _, letter, _ in container.mailer.asked
    )


def test_a_brief_printed_once_is_not_printed_the_next_day(container):
    container.send_issue()
    container.clock.pass_time(days=1)

    stored = container.publishing.assemble(container.newsletter, TODAY + timedelta(days=1))

    assert stored.state is IssueStatus.EMPTY


def test_of_two_sends_at_once_one_plans_and_the_other_finds_it_planned(container):
    container.publishing.assemble(container.newsletter, TODAY)
    with ThreadPoolExecutor(2) as pool, container.engine.begin() as other:
        other.execute(text("SELECT 1 FROM issue FOR UPDATE"))
        hand_over = container.planning.hand_over
        sends = [pool.submit(hand_over, container.newsletter, TODAY) for _ in range(2)]
        until_somebody_waits(container.engine, waiting=2)
    results = [send.result() for send in sends]

    assert sorted(one.planned for one in results) == [False, True]
    assert {one.issue.state for one in results} == {IssueStatus.SENDING}
    assert {one.issue.planned_by for one in results} == {"the schedule"}
    container.queue.work(until_empty=True)
    assert sorted(container.mailer.addresses) == sorted(READERS)
