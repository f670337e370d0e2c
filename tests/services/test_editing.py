"""Editing a draft: each edit is made on what was seen, sets it anew, and is recorded."""

import contextlib
import threading
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from newsletter.core.publication import ApprovalPolicy
from newsletter.core.stored import IssueStatus
from newsletter.core.wording import NoteKind
from newsletter.errors import NotAllowed, NotFound, OwnChange, StaleDraft
from newsletter.services.editing import SeenDraft
from tests.container import TODAY, TestContainer, brief, open_container
from tests.settings import TECHNOLOGY

pytestmark = pytest.mark.postgres

BY_PERSON = replace(TECHNOLOGY, approval=ApprovalPolicy.PERSON)
TOPICS = ("chips", "policy", "security", "software")


@pytest.fixture
def container(engine: Engine) -> TestContainer:
    container = open_container(engine, BY_PERSON)
    container.receive(*TOPICS)
    container.publishing.assemble(container.newsletter, TODAY)
    return container


def seen(container: TestContainer, actor: str = "anna") -> SeenDraft:
    return container.editing.seen(container.newsletter, TODAY, actor=actor)


def number(container: TestContainer, topic: str) -> int:
    stored = container.briefs.find(brief(topic).key)
    assert stored
    return stored.brief_id


def order(container: TestContainer) -> list[str]:
    """Return the topics of the stored issue's stories."""
    stored = container.publishing.issue(container.newsletter, TODAY)
    return [entry.section for entry in stored.issue.entries]


def test_a_story_moves_up_down_and_before_another(container):
    assert order(container) == ["chips", "policy", "security", "software"]
    container.editing.move_up(seen(container), number(container, "software"))
    assert order(container) == ["chips", "policy", "software", "security"]
    container.editing.move_down(seen(container), number(container, "chips"))
    assert order(container) == ["policy", "chips", "software", "security"]
    first = number(container, "policy")
    edited = container.editing.move(seen(container), number(container, "security"), before=first)
    assert order(container) == ["security", "policy", "chips", "software"]
    assert any("moved from place" in change for change in edited.changes)
    container.editing.move_down(seen(container), number(container, "chips"))
    assert order(container)[-1] == "chips"


def test_at_the_ends_a_move_changes_nothing_and_is_not_recorded(container):
    before = seen(container)
    edited = container.editing.move_up(before, number(container, "chips"))
    container.editing.move_down(before, number(container, "software"))
    assert (edited.stored.content_hash, edited.changes) == (before.content_hash, ())
    assert container.decisions.about(f"issue {edited.stored.id}") == ()


def test_a_clock_that_assembles_again_keeps_what_a_person_did(container):
    container.editing.pin(seen(container), number(container, "software"))
    container.editing.leave_out(seen(container), number(container, "policy"))
    container.editing.move_up(seen(container), number(container, "security"))
    container.editing.shorten(seen(container), number(container, "software"), "A pass explained")
    container.editing.word(seen(container), preheader="And three more", note="We were late.")
    container.receive("robotics")

    again = container.publishing.assemble(container.newsletter, TODAY)

    assert order(container) == ["software", "security", "robotics", "chips"]
    assert again.issue.entries[0].lead
    assert again.issue.entries[0].short_line == "A pass explained"
    assert again.issue.wording.note == "We were late."
    assert again.galley
    assert "We were late." in "".join(span.text for span in again.galley.text)


def test_what_was_left_out_can_be_taken_in_and_is_listed(container):
    policy = number(container, "policy")
    out = container.editing.leave_out(seen(container), policy)
    assert out.changes[0] == "“A court asks for reasons behind an automated refusal” was taken out"
    assert container.editing.left_out(out.stored) == ((policy, brief("policy").title),)
    container.editing.take_in(seen(container), policy)
    assert "policy" in order(container)
    with pytest.raises(NotFound, match="was not left out"):
        container.editing.take_in(seen(container), policy)


def test_an_issue_prints_one_story_at_least(container):
    for topic in TOPICS[1:]:
        container.editing.leave_out(seen(container), number(container, topic))
    with pytest.raises(NotAllowed, match="one story at least"):
        container.editing.leave_out(seen(container), number(container, "chips"))


def test_a_pinned_story_is_not_moved(container):
    software = number(container, "software")
    container.editing.pin(seen(container), software)
    with pytest.raises(NotAllowed, match="pinned as the lead"):
        container.editing.move_down(seen(container), software)
    with pytest.raises(NotAllowed, match="pinned as the lead"):
        container.editing.move_up(seen(container), number(container, "chips"))
    container.editing.unpin(seen(container))
    assert order(container)[0] == "chips"


def test_a_subject_is_about_the_first_story_of_its_day_also_when_another_comes_first(container):
    container.editing.word(seen(container), subject="Half the water")
    chips = number(container, "chips")
    edited = container.editing.pin(seen(container), number(container, "software")).stored
    assert edited.issue.wording.about == chips
    with pytest.raises(NotFound, match="brief 99 is not in the issue"):
        container.editing.word(seen(container), about=99)
    again = container.editing.word(seen(container), subject="").stored
    assert again.issue.wording.about is None


def test_every_edit_makes_another_hash_and_is_recorded_with_before_and_after(container):
    hashes = {seen(container).content_hash}
    chips, software = number(container, "chips"), number(container, "software")
    steps = [
        lambda draft: container.editing.move_up(draft, software),
        lambda draft: container.editing.pin(draft, software),
        lambda draft: container.editing.leave_out(draft, number(container, "policy")),
        lambda draft: container.editing.shorten(draft, chips, "Less water"),
        lambda draft: container.editing.word(draft, subject="A subject"),
        lambda draft: container.editing.word(draft, about=chips),
        lambda draft: container.editing.word(draft, preheader="A preheader"),
        lambda draft: container.editing.word(draft, note="A word", note_kind=NoteKind.NOTE),
    ]
    for step in steps:
        hashes.add(step(seen(container)).stored.content_hash)
    assert len(hashes) == len(steps) + 1
    stored = container.publishing.issue(container.newsletter, TODAY)
    decisions = container.decisions.about(f"issue {stored.id}")
    assert [one.verb for one in decisions] == [
        *("move", "pin", "leave out", "shorten", "word", "word", "word", "word")
    ]
    assert decisions[1].detail == {"before": {"pinned": None}, "after": {"pinned": software}}
    assert {one.actor for one in decisions} == {"anna"}


def test_what_is_approved_is_not_edited_before_it_is_taken_back(container):
    draft = seen(container)
    container.publishing.approve(container.newsletter, TODAY, actor="ben")
    with pytest.raises(NotAllowed, match="take the approval back"):
        container.editing.pin(draft, number(container, "software"))
    container.publishing.withdraw(container.newsletter, TODAY, actor="ben", because="an edit")
    container.editing.pin(draft, number(container, "software"))
    assert order(container)[0] == "software"


def test_an_edit_of_a_draft_that_is_gone_changes_nothing_and_says_why(container):
    old = seen(container)
    container.editing.leave_out(old, number(container, "policy"))
    with pytest.raises(StaleDraft, match=r"“A court asks .*” was taken out"):
        container.editing.pin(old, number(container, "software"))
    assert order(container)[0] == "chips"


def test_of_two_edits_of_one_draft_at_once_one_wins_and_the_other_is_refused(container):
    draft, done, refused = seen(container), [], []
    start = threading.Barrier(2)

    def pin(topic: str) -> None:
        colleague = container.restarted()
        brief_id = number(colleague, topic)
        start.wait()
        try:
            done.append(colleague.editing.pin(replace(draft, actor=topic), brief_id))
        except StaleDraft as stale:
            refused.append(stale)

    threads = [threading.Thread(target=pin, args=[topic]) for topic in ("security", "software")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = container.publishing.issue(container.newsletter, TODAY)
    assert (len(done), len(refused)) == (1, 1)
    assert stored.content_hash == done[0].stored.content_hash
    assert stored.issue.entries[0].brief_id == stored.edits.pinned
    assert len(container.decisions.about(f"issue {stored.id}")) == 1


def test_a_clock_that_set_the_draft_before_an_edit_does_not_overwrite_it(container, monkeypatch):
    """The very moment: the assembly has read the edits, and has not stored its draft."""
    save, draft = container.issues.save_draft, seen(container)

    def overtaken(*arguments, **options):
        monkeypatch.setattr(container.issues, "save_draft", save)
        container.editing.pin(draft, number(container, "software"))
        return save(*arguments, **options)

    monkeypatch.setattr(container.issues, "save_draft", overtaken)
    container.publishing.assemble(container.newsletter, TODAY)
    assert order(container)[0] == "software"


def test_clock_and_editors_at_once_leave_a_draft_that_is_what_it_says(container):
    """Whoever wins: entries, edits and hash belong together, and nobody's edit is lost."""
    pinned: list[int] = []

    def assemble() -> None:
        for topic in ("robotics", "ai-models"):
            container.receive(topic)
            with contextlib.suppress(NotAllowed):
                container.publishing.assemble(container.newsletter, TODAY)

    thread = threading.Thread(target=assemble)
    thread.start()
    colleague = container.restarted()
    while thread.is_alive() or not pinned:
        for topic in TOPICS:
            brief_id = number(colleague, topic)
            with contextlib.suppress(StaleDraft):
                colleague.editing.pin(seen(colleague), brief_id)
                pinned.append(brief_id)
    thread.join()
    stored = container.publishing.issue(container.newsletter, TODAY)
    assert stored.edits.pinned == stored.issue.entries[0].brief_id == pinned[-1]
    assert not container.publishing.approve(
        container.newsletter, TODAY, actor="ben", expecting=stored.content_hash
    ).state.is_open


def test_nobody_approves_the_order_they_changed_last(engine):
    four_eyes = open_container(engine, replace(TECHNOLOGY, approval=ApprovalPolicy.FOUR_EYES))
    four_eyes.approvals.practice = False
    four_eyes.receive(*TOPICS)
    four_eyes.publishing.assemble(four_eyes.newsletter, TODAY)
    four_eyes.editing.move_up(seen(four_eyes, "anna@example.org"), number(four_eyes, "software"))
    with pytest.raises(OwnChange, match=r"anna@example\.org changed the issue"):
        four_eyes.publishing.approve(four_eyes.newsletter, TODAY, actor="anna@example.org")
    approved = four_eyes.publishing.approve(four_eyes.newsletter, TODAY, actor="ben@example.org")
    assert approved.state is IssueStatus.APPROVED


def test_an_edited_issue_is_sent_with_its_own_subject_only_where_its_story_is(container, tmp_path):
    container.subscribe(
        tmp_path, {"all@example.com": "", "chips@example.com": "chips", "law@example.com": "policy"}
    )
    container.editing.word(seen(container), subject="Half the water", note="Sorry for yesterday.")
    container.editing.shorten(seen(container), number(container, "policy"), "Reasons, please")
    container.publishing.approve(container.newsletter, TODAY, actor="ben")
    assert container.send_issue().state is IssueStatus.SENT
    subjects = {
        claim.recipients[0].email: letter.subject for _, letter, claim in container.mailer.asked
    }
    assert subjects == {
        "all@example.com": "Half the water",
        "chips@example.com": "Half the water",
        "law@example.com": "Reasons, please",
    }
    assert all("Sorry for yesterday." in letter.html for _, letter, _ in container.mailer.asked)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"subject": "x" * 61}, "61 characters"),
        ({"preheader": "x" * 101}, "101 characters"),
        ({"note": "x" * 201}, "201 characters"),
        ({"note": "read <%this%>"}, "a tag of the letter"),
    ],
)
def test_what_cannot_be_printed_is_refused(container, fields, says):
    with pytest.raises(NotAllowed, match=says):
        container.editing.word(seen(container), **fields)
