"""What is approved is what was looked at, also when briefs came after the draft was set."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from newsletter.core.publication import ApprovalPolicy
from newsletter.core.stored import IssueStatus
from newsletter.errors import NotAllowed, StaleDraft
from tests.container import TODAY, brief, open_container
from tests.settings import TECHNOLOGY

pytestmark = pytest.mark.postgres


def test_a_finding_is_not_passed_over_because_a_brief_came_later(engine: Engine, tmp_path: Path):
    container = open_container(engine, replace(TECHNOLOGY, approval=ApprovalPolicy.PERSON))
    newsletter = container.newsletter
    container.receive("chips")
    container.subscribe(tmp_path, {"c@example.com": "robotics"})
    stored = container.publishing.assemble(newsletter, TODAY)
    container.intake.receive(brief("software"))

    def approve(digest: str | None) -> None:
        assert digest
        container.reviews.approve(newsletter, TODAY, expecting=digest, seen=(), actor="ada")

    with pytest.raises(StaleDraft, match="other stories would leave now"):
        approve(stored.content_hash)
    assert container.publishing.issue(newsletter, TODAY).state is IssueStatus.DRAFT
    with pytest.raises(NotAllowed, match=r"^look at this first: 1 reader chose only topics"):
        approve(container.publishing.assemble(newsletter, TODAY).content_hash)
