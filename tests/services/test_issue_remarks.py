"""What a person is told of an issue besides its stories: frozen, no room, too large."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from newsletter.core.letter_size import CLIPPED
from newsletter.core.publication import ApprovalPolicy
from newsletter.core.stored import IssueStatus
from newsletter.errors import NotAllowed
from newsletter.services.editing import SeenDraft
from tests.container import TODAY, TestContainer, brief, open_container
from tests.settings import TECHNOLOGY

pytestmark = pytest.mark.postgres

ONE_STORY = replace(TECHNOLOGY, caps=replace(TECHNOLOGY.caps, briefs=1))


def assembled(container: TestContainer, *topics: str):
    container.receive(*topics)
    return container.publishing.assemble(container.newsletter, TODAY)


def test_an_approved_issue_says_since_when_it_is_frozen_and_how_it_is_opened(engine: Engine):
    container = open_container(engine, TECHNOLOGY)
    stored = assembled(container, "chips")
    frozen = container.issue_remarks.frozen(container.newsletter, stored)
    assert frozen
    assert (frozen.by, frozen.since, frozen.changes) == (stored.approved_by, stored.approved_at, ())
    assert "frozen since" in frozen.sentences[0]
    assert f"`newsletter issue withdraw --newsletter {TECHNOLOGY.slug}" in frozen.sentences[0]


def test_what_changed_since_is_named(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    container = open_container(engine, TECHNOLOGY)
    stored = assembled(container, "chips")
    container.receive("policy")
    files = container.publishing.renderer.fingerprints()
    footer = "issue/parts/footer.mjml.j2"
    assert footer in files
    changed = files | {footer: "other"}
    monkeypatch.setattr(container.publishing.renderer, "fingerprints", lambda: changed)
    now = replace(TECHNOLOGY, caps=replace(TECHNOLOGY.caps, briefs=13), tagline="Other")
    frozen = container.issue_remarks.frozen(now, stored)
    assert frozen
    assert frozen.changes == (
        f"the template {footer} changed",
        f"caps.briefs was {TECHNOLOGY.caps.briefs} and is 13 now",
        f"tagline was {TECHNOLOGY.tagline} and is Other now",
        f"“{brief('policy').title}” was added",
    )


def test_a_draft_is_not_frozen(engine: Engine):
    container = open_container(engine, replace(TECHNOLOGY, approval=ApprovalPolicy.PERSON))
    stored = assembled(container, "chips")
    assert container.issue_remarks.frozen(container.newsletter, stored) is None
    assert container.issue_remarks.sentences(container.newsletter, stored) == ()


def test_accepted_briefs_that_a_cap_leaves_out_are_named(engine: Engine):
    container = open_container(engine, ONE_STORY)
    stored = assembled(container, "chips", "policy")
    [out] = container.issue_remarks.left_out(container.newsletter, stored)
    inside = stored.issue.entries[0].brief.title
    assert {out.title, inside} == {brief("chips").title, brief("policy").title}
    assert out.reason == "the issue holds at most 1 stories"


def test_a_letter_that_gmail_would_cut_is_approved_by_nobody(engine: Engine, tmp_path: Path):
    container = open_container(engine, TECHNOLOGY)
    container.subscribe(tmp_path, {"reader@example.com": ""})
    long = replace(brief("chips"), summary="word " * (CLIPPED // 5))
    held = container.intake.receive(long).stored
    container.intake.accept(held.brief_id, actor="anna")
    stored = container.publishing.assemble(container.newsletter, TODAY)
    assert stored.state is IssueStatus.DRAFT
    [said] = container.issue_remarks.sentences(container.newsletter, stored)
    assert "Gmail cuts a letter after 102" in said
    with pytest.raises(NotAllowed, match="cannot be approved: Edition"):
        container.publishing.approve(container.newsletter, TODAY, actor="anna")


def test_an_edit_sets_the_issue_by_what_there_is_then(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    container = open_container(engine, replace(TECHNOLOGY, approval=ApprovalPolicy.PERSON))
    stored = assembled(container, "chips")
    now = {"issue/issue.mjml.j2": "other"}
    monkeypatch.setattr(container.publishing.renderer, "fingerprints", lambda: now)
    brief_id = stored.issue.entries[0].brief_id
    seen = SeenDraft(
        newsletter=container.newsletter,
        on=TODAY,
        content_hash=stored.content_hash or "",
        actor="anna",
    )
    container.editing.pin(seen, brief_id)
    edited = container.publishing.issue(container.newsletter, TODAY)
    assert edited.basis.templates == now
