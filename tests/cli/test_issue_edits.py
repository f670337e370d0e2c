"""Edits of an issue at the command line, from the draft to the approval of just that."""

import pytest

from tests.cli.conftest import CommandLine

pytestmark = pytest.mark.postgres


@pytest.fixture
def ids(cli: CommandLine) -> list[int]:
    """The briefs of a draft that waits for a person, in its order."""
    cli.configure('approval = "automatic"', 'approval = "person"')
    cli.add_brief()
    for title, topic in (
        ("A court asks for reasons behind an automated refusal", "policy"),
        ("A warehouse robot learns to wait for people to pass", "robotics"),
    ):
        url = f"https://example.org/{topic}"
        cli.add_brief(title=title, topics=[topic], source_url=url)
    return [brief["id"] for brief in cli.done("issue", "assemble")["briefs"]]


def test_a_draft_is_edited_and_approved_as_it_was_seen(cli: CommandLine, ids: list[int]) -> None:
    first, second, third = ids
    seen = cli.done("issue", "show")["content_hash"]
    cli.done("issue", "move", str(third), "--up", "--hash", seen)
    cli.done("issue", "pin", str(second))
    cli.done("issue", "leave-out", str(first))
    cli.done("issue", "take-in", str(first))
    cli.done("issue", "shorten", str(second), "Reasons, please")
    edited = cli.done(
        *("issue", "edit", "--subject", "Robots wait", "--about", str(third)),
        *("--note", "We were late.", "--note-kind", "correction"),
    )
    assert [(b["id"], b["short_line"]) for b in edited["briefs"]] == [
        (second, "Reasons, please"),
        (first, ""),
        (third, ""),
    ]
    assert edited["wording"] == {
        "subject": "Robots wait",
        "preheader": "",
        "about": third,
        "note": "We were late.",
        "note_kind": "correction",
    }
    assert edited["changes"] == ["the subject changed", "the editors’ note changed"]
    stale = cli.refused("issue", "approve", "--hash", seen)
    assert "this is no longer what you looked at: " in stale
    assert "the subject changed" in stale
    said = cli.run("issue", "approve", "--hash", edited["content_hash"])
    assert f"hash {edited['content_hash']}" in said.out
    assert "about brief" in said.out


def test_an_approval_is_taken_back(cli: CommandLine, ids: list[int]) -> None:
    cli.done("issue", "approve")
    assert "take the approval back" in cli.refused("issue", "pin", str(ids[0]))
    taken = cli.done("issue", "withdraw", "--because", "a typing error")
    assert taken["state"] == "draft"
    assert taken["reason"].endswith(": a typing error")
    assert "only an approved issue" in cli.refused("issue", "withdraw")
    assert cli.done("issue", "unpin")["changes"] == []


def test_odd_edits_are_refused(cli: CommandLine, ids: list[int]) -> None:
    assert "give what to change" in cli.refused("issue", "edit")
    assert "give one of" in cli.refused("issue", "move", str(ids[0]), "--up", "--down")
    assert "brief 99 is not in the issue" in cli.refused("issue", "move", "99", "--last")
    assert "61 characters; 60 fit" in cli.refused("issue", "edit", "--subject", "x" * 61)
    assert "robotics" in cli.run("issue", "show").out
