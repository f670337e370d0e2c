"""Approving what was looked at, and nothing else; taking it back; four eyes."""

import contextlib
import threading
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from newsletter.core.publication import ApprovalPolicy
from newsletter.core.staff import Grant, LoginName, Permission
from newsletter.core.stored import IssueStatus
from newsletter.errors import NotAllowed, NotApproved, OwnChange, StaleDraft, UndeclaredLogin
from tests.container import TODAY, TestContainer, brief, open_container
from tests.settings import TECHNOLOGY

pytestmark = pytest.mark.postgres

BY_PERSON = replace(TECHNOLOGY, approval=ApprovalPolicy.PERSON)
ANNA, BEN = "anna@example.org", "ben@example.org"
FOUR_EYES = replace(TECHNOLOGY, approval=ApprovalPolicy.FOUR_EYES)


@pytest.fixture
def container(engine: Engine) -> TestContainer:
    return drafted(open_container(engine, BY_PERSON))


@pytest.fixture
def four_eyes(engine: Engine) -> TestContainer:
    container = open_container(engine, FOUR_EYES)
    container.approvals.practice = False
    return drafted(container)


def drafted(container: TestContainer) -> TestContainer:
    container.receive("chips", "policy")
    container.publishing.assemble(container.newsletter, TODAY)
    return container


def shown(container: TestContainer) -> str:
    """Return the hash that a page shows now."""
    digest = container.publishing.issue(container.newsletter, TODAY).content_hash
    assert digest
    return digest


def approve(container: TestContainer, seen: str | None, actor: str = "anna"):
    return container.publishing.approve(container.newsletter, TODAY, actor=actor, expecting=seen)


def brief_about(container: TestContainer, topic: str) -> int:
    stored = container.briefs.find(brief(topic).key)
    assert stored
    return stored.brief_id


def test_what_was_seen_is_approved_and_approving_it_again_changes_nothing(container):
    seen = shown(container)
    assert approve(container, seen).approved_hash == seen
    again = approve(container, seen, actor="ben")
    assert (again.approved_hash, again.approved_by) == (seen, "anna")


def test_another_draft_than_the_one_seen_is_refused_and_says_what_changed(container):
    seen = shown(container)
    container.receive("security")
    container.intake.edit(
        brief_about(container, "chips"), {"why": "It saves water in dry places."}, actor="ben"
    )
    container.intake.hold(brief_about(container, "policy"), actor="ben")
    container.publishing.assemble(container.newsletter, TODAY)
    with pytest.raises(StaleDraft) as refused:
        approve(container, seen)
    assert refused.value.changes == (
        "“A mail library mends a flaw that read past its buffer” was added",
        "“A court asks for reasons behind an automated refusal” was taken out",
        "“A foundry halves the water it needs for a wafer” has a newer text",
    )
    stored = container.publishing.issue(container.newsletter, TODAY)
    assert (stored.state, stored.approved_by) == (IssueStatus.DRAFT, None)


def test_a_hash_that_never_was_is_refused(container):
    with pytest.raises(StaleDraft, match="no draft of 2026-11-23 has the hash abcdef"):
        approve(container, "abcdef")


def test_an_approved_issue_is_not_approved_as_another_one(container):
    seen = shown(container)
    container.receive("security")
    container.publishing.assemble(container.newsletter, TODAY)
    approve(container, shown(container))
    with pytest.raises(StaleDraft, match="was added"):
        approve(container, seen)


def test_a_draft_whose_sender_changed_since_is_not_approved(container, engine):
    seen = shown(container)
    sender = replace(BY_PERSON.sender, name="Somebody Else")
    other = open_container(engine, replace(BY_PERSON, sender=sender))
    with pytest.raises(StaleDraft, match="its sender or links changed"):
        approve(other, seen)


def test_who_assembles_anew_while_another_approves_changes_nothing_unseen(container, engine):
    """Whoever comes first: what is approved in the end is what was seen, or nothing is."""
    for topic in ("security", "software", "robotics"):
        seen = shown(container)
        container.receive(topic)
        start, refused = threading.Barrier(2), []

        def assemble(start=start):
            colleague = container.restarted()
            start.wait()
            with contextlib.suppress(NotAllowed):  # frozen meanwhile
                colleague.publishing.assemble(colleague.newsletter, TODAY)

        thread = threading.Thread(target=assemble)
        thread.start()
        start.wait()
        try:
            approve(container, seen)
        except StaleDraft as stale:
            refused.append(stale)
        thread.join()

        stored = container.publishing.issue(container.newsletter, TODAY)
        if refused:
            assert (stored.state, stored.approved_hash) == (IssueStatus.DRAFT, None)
        else:
            assert (stored.state, stored.approved_hash) == (IssueStatus.APPROVED, seen)
            assert stored.content_hash == seen
            container.publishing.withdraw(container.newsletter, TODAY, actor="a", because="test")
            container.publishing.assemble(container.newsletter, TODAY)


def test_a_draft_that_changes_between_look_and_approval_is_not_approved(container, monkeypatch):
    """The very moment: after the hash was compared, before the row is frozen."""
    seen, approve_row = shown(container), container.issues.approve

    def overtaken(*arguments):
        monkeypatch.setattr(container.issues, "approve", approve_row)
        container.receive("security")
        container.publishing.assemble(container.newsletter, TODAY)
        return approve_row(*arguments)

    monkeypatch.setattr(container.issues, "approve", overtaken)
    with pytest.raises(StaleDraft, match="“A mail library"):
        approve(container, seen)
    assert container.publishing.issue(container.newsletter, TODAY).approved_hash is None


def test_an_approval_is_taken_back_and_given_again(container):
    seen = shown(container)
    approve(container, seen)
    taken = container.publishing.withdraw(
        container.newsletter, TODAY, actor="ben", because="a typing error"
    )
    assert (taken.state, taken.approved_hash, taken.content_hash) == ("draft", None, seen)
    assert taken.reason == "taken back by ben: a typing error"
    with pytest.raises(NotApproved):
        container.plan_issue()
    assert approve(container, shown(container)).state is IssueStatus.APPROVED
    verbs = [(one.actor, one.verb) for one in container.decisions.about(f"issue {taken.id}")]
    assert verbs == [("anna", "approve"), ("ben", "withdraw"), ("anna", "approve")]


def test_what_a_person_took_back_no_policy_approves(engine):
    container = drafted(open_container(engine, TECHNOLOGY))
    container.publishing.withdraw(container.newsletter, TODAY, actor="ben", because="wait")
    container.receive("security")
    with pytest.raises(NotApproved):
        container.plan_issue()
    assert approve(container, shown(container)).withdrawn_by is None


def test_what_is_no_approval_or_has_left_cannot_be_taken_back(container):
    def take_back():
        container.publishing.withdraw(container.newsletter, TODAY, actor="ben", because="late")

    with pytest.raises(NotAllowed, match="is a draft: only an approved issue"):
        take_back()
    approve(container, shown(container))
    container.plan_issue()
    with pytest.raises(NotAllowed, match="is sent: only an approved issue"):
        take_back()


def test_nobody_approves_the_brief_they_changed_last(four_eyes):
    chips = brief_about(four_eyes, "chips")
    four_eyes.intake.edit(chips, {"why": "It saves water in dry places."}, actor=ANNA)
    four_eyes.publishing.assemble(four_eyes.newsletter, TODAY)
    with pytest.raises(
        OwnChange, match=r"anna@example\.org changed the issue of 2026-11-23 last, at 2026-11-23"
    ):
        approve(four_eyes, shown(four_eyes), actor=ANNA)
    assert approve(four_eyes, shown(four_eyes), actor=BEN).approved_by == BEN


def test_whoever_took_a_brief_out_changed_the_issue(four_eyes):
    four_eyes.intake.hold(brief_about(four_eyes, "chips"), actor=ANNA)
    four_eyes.publishing.assemble(four_eyes.newsletter, TODAY)
    with pytest.raises(OwnChange):
        approve(four_eyes, shown(four_eyes), actor=ANNA)


def test_a_later_change_by_another_person_frees_the_first(four_eyes):
    four_eyes.intake.edit(brief_about(four_eyes, "chips"), {"why": "Water is dear."}, actor=ANNA)
    four_eyes.clock.pass_time(minutes=1)
    four_eyes.intake.edit(brief_about(four_eyes, "policy"), {"why": "Law is slow."}, actor=BEN)
    four_eyes.publishing.assemble(four_eyes.newsletter, TODAY)
    with pytest.raises(OwnChange, match=BEN):
        approve(four_eyes, shown(four_eyes), actor=BEN)
    assert approve(four_eyes, shown(four_eyes), actor=ANNA).approved_by == ANNA


def test_in_practice_one_person_may_do_both(four_eyes):
    four_eyes.approvals.practice = True
    four_eyes.intake.edit(brief_about(four_eyes, "chips"), {"why": "Water is dear."}, actor=ANNA)
    four_eyes.publishing.assemble(four_eyes.newsletter, TODAY)
    assert approve(four_eyes, shown(four_eyes), actor=ANNA).approved_by == ANNA


def test_with_four_eyes_nothing_approves_itself(four_eyes):
    with pytest.raises(NotApproved):
        four_eyes.plan_issue()


def test_the_command_line_and_the_console_are_one_person_once_that_is_declared(four_eyes):
    accounts, shell = four_eyes.staff_accounts, LoginName("anna")
    accounts.invite(ANNA, [Grant(permission=Permission.EDIT)], by=shell)
    four_eyes.intake.edit(brief_about(four_eyes, "chips"), {"why": "Water is dear."}, actor=shell)
    four_eyes.publishing.assemble(four_eyes.newsletter, TODAY)
    for actor in (ANNA, BEN):  # anna at the command line may be either
        with pytest.raises(UndeclaredLogin, match="staff login-name ADDRESS anna"):
            approve(four_eyes, shown(four_eyes), actor=actor)
    accounts.set_login_name(accounts.by_email(ANNA).id, "anna", by=shell)
    for actor in (ANNA, shell):
        with pytest.raises(OwnChange, match="anna changed the issue"):
            approve(four_eyes, shown(four_eyes), actor=actor)
    with pytest.raises(UndeclaredLogin, match="who root is"):
        approve(four_eyes, shown(four_eyes), actor=LoginName("root"))
    assert approve(four_eyes, shown(four_eyes), actor=BEN).approved_by == BEN


def test_a_login_is_one_persons(four_eyes):
    accounts, shell = four_eyes.staff_accounts, LoginName("root")
    for email in (ANNA, BEN):
        accounts.invite(email, [Grant(permission=Permission.EDIT)], by=shell)
    accounts.set_login_name(accounts.by_email(ANNA).id, "anna", by=shell)
    with pytest.raises(NotAllowed, match="anna is declared as somebody else's"):
        accounts.set_login_name(accounts.by_email(BEN).id, "anna", by=shell)
    assert accounts.set_login_name(accounts.by_email(ANNA).id, None, by=shell).login_name is None
    assert accounts.set_login_name(accounts.by_email(BEN).id, "anna", by=shell).login_name == "anna"
