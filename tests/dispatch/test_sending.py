"""Planning, claiming, sending and recording, on real PostgreSQL, a mailer answering as told."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from newsletter.core.delivery import Refused, Remedy, Unknown
from newsletter.core.publication import ApprovalPolicy
from newsletter.core.stored import IssueState
from newsletter.errors import NotAllowed
from subscribers.model import Suppression, SuppressionReason
from tests.house import TECHNOLOGY, TODAY, TestHouse, brief, open_house

pytestmark = pytest.mark.postgres

READERS = {f"r{n}@example.com": topics for n, topics in enumerate(["", "chips", "security"] * 3)}


@pytest.fixture
def house(engine: Engine, tmp_path) -> TestHouse:
    house = open_house(engine)
    house.receive("chips", "security")
    house.subscribe(tmp_path, READERS)
    return house


def sums(house: TestHouse):
    return house.inquiry.account(house.issues.find("technology", TODAY)).sums


def why(house: TestHouse, email: str) -> str:
    return house.inquiry.why(house.newsletter, email, TODAY).sentence


def test_everyone_is_sent_the_issue_once(house):
    filed = house.post()

    assert filed.state is IssueState.SENT
    assert sorted(house.mailer.addresses) == sorted(READERS)
    assert sums(house).accepted == sums(house).audience == 9
    assert sums(house).add_up


def test_each_reader_gets_the_edition_of_their_topics(house):
    house.post()

    for _, letter, claim in house.mailer.asked:
        for recipient in claim.recipients:
            topics = READERS[recipient.email]
            assert ("wafer" in letter.text) == (topics in ("", "chips"))
            assert ("buffer" in letter.text) == (topics in ("", "security"))


def test_one_compile_and_one_inlining_whatever_the_editions(house):
    house.post()

    assert len({letter.subject for _, letter, _ in house.mailer.asked}) == 2
    assert (house.renderer.compiles, house.renderer.inlinings) == (1, 1)


def test_a_second_send_plans_and_sends_nothing(house):
    house.post()
    before, asked = house.rows(), len(house.mailer.asked)

    house.post()

    assert (house.rows(), len(house.mailer.asked)) == (before, asked)


def test_sending_goes_on_where_it_stopped(house):
    house.send()
    house.queue.jobs.popitem()  # a job that got lost
    house.queue.work(until_empty=True)
    assert sums(house).to_go > 0

    house.post()

    assert sums(house).to_go == 0
    assert sorted(house.mailer.addresses) == sorted(READERS)


def test_a_goodbye_between_plan_and_send_is_heard(house):
    house.send()
    house.leave("r1@example.com")
    house.subscriptions.suppress(
        [
            Suppression(
                email="r2@example.com",
                reason=SuppressionReason.COMPLAINT,
                source="test",
                since=house.clock.now(),
            )
        ]
    )

    house.post()

    assert not {"r1@example.com", "r2@example.com"} & set(house.mailer.addresses)
    assert (sums(house).skipped, sums(house).accepted) == (2, 7)
    assert sums(house).add_up
    assert "left out at the last moment" in why(house, "r1@example.com")


def test_a_batch_whose_readers_all_left_asks_nobody(house):
    house.send()
    for email in READERS:
        house.leave(email)

    filed = house.post()

    assert house.mailer.asked == []
    assert filed.state is IssueState.SENT
    assert (sums(house).skipped, sums(house).to_go) == (9, 0)


def test_excluded_subscribers_have_their_reason(house, tmp_path):
    house.subscribe(tmp_path, {"robots@example.com": "robotics"})
    house.leave("r1@example.com")
    house.post()

    account = house.inquiry.account(house.issues.find("technology", TODAY))

    assert account.exclusions == {"ended": 1, "no_story": 1}
    assert "topics they chose" in why(house, "robots@example.com")
    assert "had ended" in why(house, "r1@example.com")
    assert "no subscription" in why(house, "stranger@example.com")


def test_a_subscriber_who_came_after_the_plan_waits_for_the_next_issue(house, tmp_path):
    house.post()
    house.subscribe(tmp_path, {"late@example.com": ""})

    assert "came after" in why(house, "late@example.com")
    assert sums(house).add_up


def test_an_unknown_answer_is_never_asked_again(house):
    house.mailer.answers = [Unknown(reason="the line went dead")]
    house.post()
    asked = len(house.mailer.asked)

    house.clock.pass_time(days=1)
    house.dispatch.recover()
    house.post()

    assert len(house.mailer.asked) == asked
    assert len(set(house.mailer.addresses)) == len(house.mailer.addresses)
    assert sums(house).unknown == len(house.mailer.asked[0][2].recipients)
    lost = house.mailer.asked[0][2].recipients[0].email
    assert "the line went dead" in why(house, lost)


def test_a_refused_recipient_is_taken_out_and_the_rest_is_sent(house):
    house.mailer.answers = [Refused(reason="400: bad", remedy=Remedy.EJECT, offenders=(1,))]
    house.post()

    offender = house.mailer.asked[0][2].recipients[1].email

    assert house.mailer.addresses.count(offender) == 1  # asked for once, refused, not again
    assert (sums(house).refused, sums(house).accepted) == (1, 8)
    assert sums(house).add_up
    assert "refused this recipient: 400: bad" in why(house, offender)


def test_a_request_that_is_too_large_is_halved(house):
    too_large = Refused(reason="413", remedy=Remedy.SPLIT)
    house.mailer.answers = [too_large, too_large]
    house.post()

    assert sums(house).accepted == 9
    assert sums(house).add_up
    assert min(len(claim.recipients) for _, _, claim in house.mailer.asked[2:]) == 1


def test_a_letter_that_is_too_large_alone_is_refused(engine, tmp_path):
    house = open_house(engine)
    house.receive("chips")
    house.subscribe(tmp_path, {"one@example.com": ""})
    house.mailer.answers = [Refused(reason="413", remedy=Remedy.SPLIT)]

    assert house.post().state is IssueState.SENT
    assert sums(house).refused == 1
    assert sums(house).add_up


def test_a_wait_holds_every_batch_until_its_moment(house):
    wait = Refused(reason="429", remedy=Remedy.WAIT, wait=timedelta(minutes=2))
    house.mailer.answers = [wait]
    house.send()
    first, second, *_ = house.queue.jobs
    house.dispatch.send_batches([first])
    house.dispatch.send_batches([second])
    assert len(house.mailer.asked) == 1

    house.clock.pass_time(minutes=2, seconds=1)
    house.post()

    assert sorted(set(house.mailer.addresses)) == sorted(READERS)
    assert sums(house).accepted == 9


def test_a_batch_that_never_left_is_tried_again_later(house):
    house.mailer.answers = [Refused(reason="not sent", remedy=Remedy.RETRY)]
    house.send()
    [first, *_] = house.queue.jobs
    house.queue.jobs.pop(first)
    house.dispatch.send_batches([first])

    assert house.queue.jobs[first] == house.clock.now() + timedelta(seconds=2)
    house.clock.pass_time(seconds=3)
    house.post()
    assert sums(house).accepted == 9


def test_a_refused_key_pauses_the_issue_and_sending_again_resumes_it(house):
    house.mailer.answers = [Refused(reason="401: no such key", remedy=Remedy.PAUSE)]
    filed = house.post()

    assert (filed.state, filed.reason) == (IssueState.PAUSED, "401: no such key")
    assert len(house.mailer.asked) == 1
    assert sums(house).to_go == 9

    assert house.post().state is IssueState.SENT
    assert sums(house).accepted == 9


def test_a_worker_that_died_leaves_an_unknown_that_has_a_name(house):
    house.send()
    claim = house.claim_first()
    assert house.dispatch.recover() == 0  # it may still be at work

    house.clock.pass_time(minutes=4)
    assert house.dispatch.recover() == 1
    house.post()

    assert sums(house).unknown == len(claim.recipients)
    assert sums(house).add_up
    assert not set(house.mailer.addresses) & {r.email for r in claim.recipients}
    assert "never recorded an answer" in why(house, claim.recipients[0].email)


def test_an_answer_after_the_lease_still_counts(house):
    house.send()
    claim = house.claim_first()
    house.clock.pass_time(minutes=4)
    house.dispatch.recover()

    house.dispatch._record(claim, house.mailer.send(None, None, claim))
    house.queue.work(until_empty=True)

    assert (sums(house).unknown, sums(house).accepted) == (0, 9)


def test_two_workers_cannot_hold_one_batch(house):
    house.send()
    claim = house.claim_first()

    house.dispatch.send_batches([claim.batch_id])

    assert house.mailer.asked == []


def test_what_changed_after_approval_is_not_sent(house):
    house.publishing.assemble(house.newsletter, TODAY)
    other = replace(
        house.newsletter, sender=replace(house.newsletter.sender, email="x@news.example.com")
    )

    with pytest.raises(NotAllowed, match="not what was approved"):
        house.dispatch.send(other, TODAY)
    assert house.rows()["delivery"] == 0


def test_assembling_again_voids_an_approval_that_no_longer_fits(house):
    house.publishing.assemble(house.newsletter, TODAY)
    other = replace(house.newsletter, reply_to=house.newsletter.sender)
    house.dispatch._newsletters = {other.slug: other}

    filed = house.publishing.assemble(other, TODAY)
    house.dispatch.send(other, TODAY)
    house.queue.work(until_empty=True)

    assert filed.state is IssueState.APPROVED
    assert house.mailer.asked[0][0].reply_to == other.reply_to


@pytest.mark.parametrize("days, reason", [(1, "still to come"), (-3, "long gone")])
def test_an_issue_is_assembled_for_its_own_day(house, days, reason):
    with pytest.raises(NotAllowed, match=reason):
        house.publishing.assemble(house.newsletter, TODAY + timedelta(days=days))


def test_what_changed_after_the_plan_pauses_the_issue(house):
    house.send()
    renamed = replace(house.newsletter, reply_to=house.newsletter.sender)
    house.dispatch._newsletters = {renamed.slug: renamed}
    house.queue.work(until_empty=True)

    filed = house.issues.find("technology", TODAY)

    assert house.mailer.asked == []
    assert filed.state is IssueState.PAUSED
    assert "not what was approved" in filed.reason


def test_a_key_that_is_refused_beforehand_plans_nothing(house):
    house.mailer.trouble = "SendGrid refuses the key."

    with pytest.raises(NotAllowed, match="refuses the key"):
        house.send()
    assert house.rows()["delivery"] == 0


def test_without_a_postal_address_nothing_is_sent(engine, tmp_path):
    house = open_house(engine, replace(TECHNOLOGY, postal_address=" "))
    house.receive("chips")
    house.subscribe(tmp_path, READERS)

    with pytest.raises(NotAllowed, match="postal address"):
        house.send()
    assert house.rows()["delivery"] == 0


def test_a_day_without_briefs_is_empty_and_sends_nothing(engine, tmp_path):
    house = open_house(engine)
    house.subscribe(tmp_path, READERS)

    assert house.post().state is IssueState.EMPTY
    assert house.mailer.asked == []

    house.receive("chips")  # a late brief may still fill the day
    assert house.post().state is IssueState.SENT


def test_an_issue_that_waits_for_a_person_is_not_sent_before(engine, tmp_path):
    house = open_house(engine, replace(TECHNOLOGY, approval=ApprovalPolicy.PERSON))
    house.receive("chips")
    house.subscribe(tmp_path, READERS)

    with pytest.raises(NotAllowed, match="not approved"):
        house.send()
    house.publishing.approve(house.newsletter, TODAY, actor="test")
    assert house.post().state is IssueState.SENT


def test_a_revision_before_sending_is_what_is_sent(house):
    house.publishing.assemble(house.newsletter, TODAY)
    changed = brief("chips", summary="The foundry has corrected its figures: a third, not a half.")
    house.intake.receive(changed)
    assert house.issues.find("technology", TODAY).state is IssueState.DRAFT

    house.post()

    assert any("a third, not a half" in letter.text for _, letter, _ in house.mailer.asked)
    assert not any(
        "told in a sentence" in letter.text
        and "wafer" in letter.text
        and "buffer" not in letter.text
        for _, letter, _ in house.mailer.asked
    )


def test_a_brief_printed_once_is_not_printed_the_next_day(house):
    house.post()
    house.clock.pass_time(days=1)

    filed = house.publishing.assemble(house.newsletter, TODAY + timedelta(days=1))

    assert filed.state is IssueState.EMPTY
