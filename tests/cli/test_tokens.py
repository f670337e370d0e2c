"""`newsletter tokens`, as an operator meets it."""

import pytest

from tests.cli.conftest import CommandLine

pytestmark = pytest.mark.postgres


def test_a_token_is_made_listed_and_revoked(cli: CommandLine):
    made = cli.run("tokens", "create", "the hub", "--scope", "briefs:write").out.strip()
    assert made.startswith("nl_1_")
    [listed] = cli.done("tokens", "list")
    assert (listed["name"], listed["scopes"], listed["newsletters"]) == (
        "the hub",
        ["briefs:write"],
        None,
    )
    shown = cli.run("tokens", "list").out
    assert "good until" in shown
    assert "never" in shown
    assert made.rpartition("_")[2] not in shown
    assert cli.done("tokens", "revoke", "1")["revoked_at"]
    assert "revoked 2" in cli.run("tokens", "list").out


def test_what_cannot_be_is_refused_in_a_sentence(cli: CommandLine):
    make = ("tokens", "create", "hub", "--scope")
    assert "choose from: briefs:read | " in cli.refused(*make, "all")
    assert "no newsletter 'no'" in cli.refused(*make, "log:read", "--newsletter", "no")
    assert "good for 1 to 366 days" in cli.refused(*make, "log:read", "--days", "400")
    assert "no token 7" in cli.refused("tokens", "revoke", "7")
