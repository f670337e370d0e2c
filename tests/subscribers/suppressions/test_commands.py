"""`newsletter suppressions`, as an operator meets it."""

from pathlib import Path

import pytest

from newsletter.adapters.sendgrid.mailer import open_client
from newsletter.sandbox.server import Sandbox, SandboxConfig
from tests.cli.conftest import CommandLine

pytestmark = pytest.mark.postgres


def test_an_address_is_added_shown_and_lifted(cli: CommandLine):
    cli.subscribe("Reader@example.com,,,")
    added = cli.done("suppressions", "add", "reader@Example.com", "--note", "asked by phone")
    assert (added["email"], added["reason"]) == ("reader@example.com", "manual")
    assert added["note"] == "asked by phone"

    shown = cli.done("suppressions", "list", "--reason", "manual", "--address", "reader")
    assert shown["suppressions"] == [added]
    assert shown["counts"]["manual"] == 1

    lifted = cli.done("suppressions", "lift", "reader@example.com", "--because", "a slip")
    assert lifted == added
    assert cli.done("suppressions", "list")["suppressions"] == []


def test_people_are_answered_in_plain_lines(cli: CommandLine):
    added = cli.run("suppressions", "add", "reader@example.com", "--reason", "invalid")
    assert added.out.startswith("reader@example.com is suppressed: invalid, by ")
    shown = cli.run("suppressions", "list")
    assert "reader@example.com  invalid" in shown.out
    assert "1 shown. The whole list: 1 invalid" in shown.out
    lifted = cli.run("suppressions", "lift", "reader@example.com", "--because", "a slip")
    assert "reader@example.com is no longer suppressed" in lifted.out
    assert "The whole list: nobody" in cli.run("suppressions", "list").out


def test_a_complaint_is_lifted_only_when_that_is_meant(cli: CommandLine):
    cli.done("suppressions", "add", "reader@example.com", "--reason", "complaint")
    lift = ("suppressions", "lift", "reader@example.com", "--because", "they asked us to")

    assert "owner can undo" in cli.refused(*lift)
    assert cli.done(*lift, "--even-complaint")["reason"] == "complaint"


@pytest.mark.parametrize(
    "line, shown",
    [
        (("add", "nobody"), "not an address"),
        (("lift", "reader@example.com", "--because", "x"), "not on the suppression list"),
        (("lift", "reader@example.com"), "--because"),
        (("add", "reader@example.com", "--reason", "mood"), "mood"),
        (("list", "--limit", "0"), "--limit"),
        (("sync",), "SENDGRID_API_KEY is not set"),
    ],
)
def test_a_slip_is_answered_in_one_sentence_and_changes_nothing(cli: CommandLine, line, shown):
    assert shown in cli.refused("suppressions", *line)


def test_sendgrids_lists_are_taken_over(cli: CommandLine, tmp_path: Path):
    with Sandbox(SandboxConfig(data=tmp_path / "sandbox", keys=("SG.right",))) as sandbox:
        cli.environment(NEWSLETTER_SENDGRID_HOST=sandbox.url, SENDGRID_API_KEY="SG.right")
        message = {
            "personalizations": [{"to": [{"email": "reader+bounce@example.com"}]}],
            "from": {"email": "daily@news.example.com"},
            "subject": "News",
            "content": [{"type": "text/plain", "value": "Good morning."}],
        }
        open_client("SG.right", sandbox.url, 5).mail.send.post(request_body=message)
        sandbox.flush()

        synced = cli.done("suppressions", "sync")
        assert synced["lists"]["bounce"] == {"listed": 1, "new": 1}
        assert "bounce               1 listed, 0 new" in cli.run("suppressions", "sync").out

    shown = cli.done("suppressions", "list")["suppressions"]
    assert [one["email"] for one in shown] == ["reader+bounce@example.com"]
