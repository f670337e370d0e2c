"""What differs from what was approved, where somebody approves it again."""

import socket
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from newsletter.core.publication import ApprovalPolicy
from newsletter.core.staff import StaffActor
from tests.container import TODAY, TestContainer, brief
from tests.settings import TECHNOLOGY
from tests.web.console.serving import OWN_SLUG, ConsoleClient, console_container, url_of

pytestmark = pytest.mark.postgres

ISSUE = f"/{OWN_SLUG}/issues/{TODAY}"
ANNA = StaffActor("anna@example.org", staff_id=0)


@pytest.fixture
def container(engine: Engine, listener: socket.socket) -> TestContainer:
    by_person = replace(TECHNOLOGY, approval=ApprovalPolicy.PERSON)
    made = console_container(engine, url_of(listener), newsletter=by_person)
    made.receive("chips", "security", "policy")
    return made


@pytest.fixture
def approved(container: TestContainer) -> TestContainer:
    """The day's issue, which Anna approved."""
    container.publishing.assemble(container.newsletter, TODAY)
    container.publishing.approve(container.newsletter, TODAY, actor=ANNA)
    return container


def changed(container: TestContainer) -> None:
    """Take the approval back, and change a subject, a story, and what is in it."""
    newsletter = container.newsletter
    container.publishing.withdraw(newsletter, TODAY, actor="bo@example.org", because="a slip")
    draft = container.editing.seen(newsletter, TODAY, actor="bo@example.org")
    container.editing.word(draft, subject="Quite another subject")
    story = container.publishing.issue(newsletter, TODAY).issue.entries[0]
    container.intake.edit(story.brief_id, {"why": "It saves a river."}, actor="bo@example.org")
    container.receive("software")
    container.publishing.assemble(newsletter, TODAY)


def test_nothing_differs_from_what_was_just_approved(
    approved: TestContainer, members: dict[str, ConsoleClient]
) -> None:
    found = approved.comparing.since_approval(approved.newsletter, TODAY)
    assert found
    assert not found.changes
    page = members["see"].get(f"{ISSUE}?view=changes&count=1").text
    assert "What would leave is what was approved" in page


def test_a_draft_shows_what_differs_from_what_was_approved(
    approved: TestContainer, members: dict[str, ConsoleClient]
) -> None:
    changed(approved)
    page = members["approve"].get(f"{ISSUE}?view=changes&count=1").text
    assert "anna@example.org approved it on" in page
    assert "“A compiler now explains its slowest pass in plain words” was added." in page
    assert "<ins>Quite another subject</ins>" in page
    assert "<ins>It saves a river.</ins>" in page
    plain = members["approve"].get(f"{ISSUE}?count=1").text
    assert f'href="{ISSUE}?view=changes&amp;whom=everything#letter"' in plain


def test_what_was_approved_stays_as_it_was_looked_at(approved: TestContainer) -> None:
    before = approved.publishing.issue(approved.newsletter, TODAY)
    changed(approved)
    kept = approved.issues.last_approved(before.id)
    assert kept
    assert (kept.issue, kept.galley, kept.content_hash) == (
        before.issue,
        before.galley,
        before.approved_hash,
    )
    with pytest.raises(Exception, match="append-only"):
        approved.query("UPDATE approved_issue SET content_hash = ''")


def test_other_templates_or_senders_are_said_where_the_words_are_the_same(
    approved: TestContainer,
) -> None:
    moved = approved.restarted()
    moved.publishing.base_url = "https://elsewhere.example"
    moved.publishing.assemble(approved.newsletter, TODAY)
    found = moved.comparing.since_approval(approved.newsletter, TODAY)
    assert found
    assert found.changes.sentences == ("its sender, its links or the templates changed",)


def test_a_refused_approval_shows_the_changed_words(
    container: TestContainer, members: dict[str, ConsoleClient]
) -> None:
    seen = container.publishing.assemble(container.newsletter, TODAY)
    story = seen.issue.entries[0]
    container.intake.edit(story.brief_id, {"why": "It saves a river."}, actor="bo@example.org")
    container.publishing.assemble(container.newsletter, TODAY)
    refused = members["own"].post(f"{ISSUE}/approve", form_key="a", content_hash=seen.content_hash)
    assert refused.status_code == 409
    assert f"“{brief('chips').title}” has a newer text." in refused.text
    assert "<ins>It saves a river.</ins>" in refused.text
