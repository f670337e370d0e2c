"""`newsletter staff`, as an operator meets it."""

import pytest

from tests.cli.conftest import CommandLine

pytestmark = pytest.mark.postgres

ADA = "ada@example.org"


def test_people_are_invited_given_roles_and_removed(cli: CommandLine):
    invited = cli.done("staff", "invite", ADA, "--role", "approve", "--newsletter", "technology")
    assert invited["link"].startswith("http://localhost:8081/invitation/")
    [listed] = cli.done("staff", "list")
    assert listed["grants"] == [{"permission": "approve", "newsletter": "technology"}]
    assert "invited" in cli.run("staff", "list").out

    changed = cli.done("staff", "role", ADA, "--add", "see", "--drop", "approve")
    assert {one["permission"] for one in changed["grants"]} == {"see", "approve"}
    changed = cli.done("staff", "role", ADA, "--drop", "approve", "--newsletter", "technology")
    assert changed["grants"] == [{"permission": "see", "newsletter": None}]

    assert cli.done("staff", "sessions", ADA) == []
    assert cli.done("staff", "sessions", ADA, "--end") == {"ended": 0}
    assert cli.done("staff", "remove", ADA) == {"removed": ADA}
    assert cli.done("staff", "list") == []


def test_what_cannot_be_is_refused_in_a_sentence(cli: CommandLine):
    assert "choose from: see | edit" in cli.refused("staff", "invite", ADA, "--role", "boss")
    assert "no newsletter" in cli.refused(
        "staff", "invite", ADA, "--role", "see", "--newsletter", "nowhere"
    )
    assert "nobody of the staff" in cli.refused("staff", "link", ADA)
    cli.done("staff", "invite", ADA, "--role", "own")
    assert "not accepted" in cli.refused("staff", "link", ADA)


def test_a_console_at_the_readers_origin_stops_every_command(cli: CommandLine):
    path = cli.config / "service.toml"
    path.write_text(path.read_text().replace("console_port = 8081", "console_port = 8080"))
    assert "console_url: http://localhost:8080 is the origin of public_url" in cli.refused(
        "staff", "list"
    )
