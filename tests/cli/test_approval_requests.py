"""Asking for an approval at the command line, sending a draft back, and what changed since."""

import pytest

from newsletter.core.staff import LoginName
from tests.cli.conftest import CommandLine

pytestmark = pytest.mark.postgres

ADA = "ada@example.org"


@pytest.fixture
def draft(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> str:
    """A draft that waits for a person; return its hash. The login is anna's."""
    monkeypatch.setattr("newsletter.cli.issue.actor", lambda: LoginName("anna"))
    cli.configure('approval = "automatic"', 'approval = "person"')
    cli.add_brief()
    return str(cli.done("issue", "assemble")["content_hash"])


def test_a_draft_is_asked_for_and_sent_back(cli: CommandLine, draft: str) -> None:
    asked = cli.done("issue", "ask", "--note", "The lead is new.")
    assert (asked["state"], asked["by"], asked["content_hash"]) == ("asked", "anna", draft)
    assert "anna asks for approval: The lead is new." in cli.run("issue", "show").out
    assert "anna sent it back: Mend the subject." in (
        cli.run("issue", "send-back", "--note", "Mend the subject.").out
    )
    assert cli.done("issue", "show")["approval_request"]["state"] == "sent_back"
    assert "anna asks for approval" in cli.run("issue", "ask").out


def test_what_is_no_draft_is_not_asked_for_and_a_reason_is_wanted(
    cli: CommandLine, draft: str
) -> None:
    assert "--note" in cli.run("issue", "send-back").err
    assert "because" in cli.refused("issue", "send-back", "--note", " ")
    cli.done("issue", "approve")
    assert "approval is asked for a draft" in cli.refused("issue", "ask")
    assert cli.done("issue", "show")["approval_request"] is None


def test_what_changed_since_the_approval_is_shown_word_by_word(
    cli: CommandLine, draft: str
) -> None:
    assert "It was never approved." in cli.run("issue", "changes").out
    assert cli.done("issue", "changes") == {"approved": None, "changes": None}
    cli.done("issue", "approve")
    assert "What would be sent is what was approved." in cli.run("issue", "changes").out
    cli.done("issue", "withdraw", "--because", "a slip")
    cli.done("issue", "edit", "--subject", "Water is dear")
    said = cli.run("issue", "changes").out
    assert "approved by anna" in said
    assert draft in said
    assert "Water is dear" in said
    assert cli.done("issue", "changes")["approved"]["content_hash"] == draft


def test_a_login_is_declared_shown_and_taken_away(cli: CommandLine) -> None:
    cli.done("staff", "invite", ADA, "--role", "edit")
    assert "no login was declared" in cli.run("staff", "login-name", ADA).out
    declared = cli.done("staff", "login-name", ADA, "anna")
    assert declared == {"email": ADA, "login_name": "anna"}
    assert f"{ADA}: anna" in cli.run("staff", "login-name", ADA).out
    cli.done("staff", "invite", "bea@example.org", "--role", "edit")
    assert "anna" in cli.refused("staff", "login-name", "bea@example.org", "anna")
    assert "not both" in cli.refused("staff", "login-name", ADA, "anna", "--none")
    assert cli.done("staff", "login-name", ADA, "--none")["login_name"] is None
