"""Segments, a send to one, and a list's health, as a person at the command line meets them."""

import psycopg
import pytest

from tests.cli.conftest import READER, CommandLine, cli, one_sandbox, sandbox, sending_cli  # noqa: F401

pytestmark = pytest.mark.postgres


@pytest.fixture
def full(cli: CommandLine) -> CommandLine:  # noqa: F811
    cli.subscribe(
        "a@example.com,Ada,chips,Europe/Berlin",
        "b@example.com,,chips;policy,Europe/Paris",
        "c@example.com,,*,America/New_York",
        "d@example.com,,policy,UTC",
    )
    cli.done("suppressions", "add", "b@example.com")
    with psycopg.connect(cli.database_url) as connection:
        connection.execute(
            "UPDATE subscription SET tags = '{vip}', engaged_on = current_date "
            "FROM subscriber WHERE subscriber.id = subscriber_id AND email LIKE ANY(%s)",
            [["a@%", "d@%"]],
        )
    return cli


COUNTS = (
    ([], 4, 3),
    (["--topic", "chips"], 3, 2),
    (["--zone", "Europe"], 2, 1),
    (["--tag", "vip", "--topic", "policy", "--topic", "security"], 1, 1),
    (["--tags-none", "vip", "--status", "mailable"], 1, 1),
    (["--engaged-within", "1", "--source", "import"], 2, 2),
    (["--tag", "vip", "--or", "--zone", "America", "--topic=chips", "--or", "--zone=UTC"], 3, 3),
    (["--domain", "example.com", "--domain", "example.org"], 4, 3),
    (["--not-domain", "@EXAMPLE.com"], 0, 0),
    (["--opened", "last-3"], 0, 0),
)


def test_a_filter_is_counted_as_it_is_said(full: CommandLine):
    for asked, matching, mailable in COUNTS:
        said = full.done("segments", "count", *asked)
        assert (said["matching"], said["mailable"]) == (matching, mailable), asked


def test_a_segment_is_saved_shown_counted_changed_and_deleted(full: CommandLine):
    saved = full.done("segments", "save", "berlin", "--zone", "Europe/Berlin", "--tag", "vip")
    assert saved["sentence"] == "everyone, tagged vip, in Europe/Berlin"
    assert (saved["matching"], saved["mailable"]) == (1, 1)
    assert [one["name"] for one in full.done("segments", "list")] == ["berlin"]
    assert full.done("segments", "show", "berlin")["sample"][0]["email"] == "a@example.com"

    again = ("segments", "save", "berlin", "--zone", "Europe")
    assert "there is a segment berlin already" in full.refused(*again)
    assert full.done(*again, "--replace")["matching"] == 2
    shown = full.run("segments", "count", "berlin").out
    assert shown == ("berlin: everyone, in Europe\n  2 subscriptions; 1 of them can get letters\n")
    assert "a@example.com  Ada  joined" in full.run("segments", "show", "berlin").out
    assert "berlin  everyone, in Europe" in full.run("segments", "list").out

    assert "is deleted" in full.run("segments", "delete", "berlin").out
    assert full.done("segments", "list") == []


SLIPS = (
    (("count", "--topic", "fish"), "topics: there is no 'fish'; choose from: ai-models"),
    (("count", "--engaged-within", "-1"), "engaged-within: '-1' is not a number of days"),
    (("count", "nobody"), "technology has no segment 'nobody'; there is: none yet"),
    (("count", "nobody", "--tag", "vip"), "not both"),
    (("save", "everyone"), "the filter says nothing"),
    (("save", "everyone", "--tag", "a", "--or"), "one of the alternatives says nothing"),
    (("count", "--tag", "a", "--or", "--colour", "red"), "No such option: --colour"),
    (("count", "--opened", "2026-01-01"), "no issue of technology left on 2026-01-01"),
    (("count", "--opened", "science/last-1"), "no issue of science left yet"),
    (("count", "--clicked-story", "7"), "no issue printed the brief 7"),
    (("save", "My List", "--tag", "vip"), "'My List' is no name for a segment"),
)


def test_a_slip_is_answered_in_one_sentence_and_changes_nothing(cli: CommandLine):  # noqa: F811
    for line, shown in SLIPS:
        assert shown in cli.refused("segments", *line)


def test_an_issue_is_sent_to_a_segment(sending_cli: CommandLine):  # noqa: F811
    sending_cli.subscribe("other@example.com,,chips,Europe/Berlin")
    assert "no segment 'berlin'" in sending_cli.refused("issue", "send", "--segment", "berlin")
    sending_cli.done("segments", "save", "berlin", "--zone", "Europe")
    sending_cli.done("segments", "save", "nobody", "--domain", "example.net")
    refused = sending_cli.run("issue", "send", "--segment", "nobody")
    assert "nobody is in the segment nobody now" in refused.err

    sent = sending_cli.done("issue", "send", "--segment", "berlin", "--wait")
    assert sent["segment"] == "berlin"
    assert sent["account"]["exclusions"] == {"outside_segment": 2}
    assert sent["account"]["adds_up"] is True
    again = sending_cli.run("issue", "send", "--segment", "berlin").out
    assert again.startswith(
        "To the segment berlin: everyone, in Europe\n  1 subscription; 1 of them"
    )
    assert "for the segment berlin" in sending_cli.run("issue", "status").out
    assert "a segment they were not in" in sending_cli.run("why", READER).out


def test_the_health_of_a_list_is_shown(full: CommandLine):
    said = full.done("subscribers", "health")
    assert said["health"]["figures"]["counts"]["mailable"] == 3
    assert said["health"]["latest"]["1"] == {"joined": 4, "left": 0}
    assert said["shares"] == {"bounced": None, "soft_bounced": None, "complained": None}

    shown = full.run("subscribers", "health").out
    assert "technology: 4 subscriptions, 3 can get letters" in shown
    assert "manual 1" in shown
    assert "no sign-up is waiting for confirmation" in shown
