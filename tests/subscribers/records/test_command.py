"""One person at the command line: a journey, and a sentence for every slip."""

import pytest

from tests.cli.conftest import READER, CommandLine

pytestmark = pytest.mark.postgres

OTHER = "other@example.com"


def subscribers(cli: CommandLine, *arguments: str):
    return cli.done("subscribers", *arguments)


def test_a_person_is_added_kept_in_order_merged_and_forgotten(cli: CommandLine):
    statement = ("--consent", "asked at the cli on 2 March")
    subscribers(cli, "add", READER, *statement, "--topics", "chips", "--name", "A Reader")
    subscribers(cli, "add", OTHER, *statement)
    assert subscribers(cli, "tag", READER, "vip, press") == {"changed": 1}
    assert subscribers(cli, "untag", READER, "vip") == {"changed": 1}
    subscribers(cli, "note", READER, "rang on Monday")
    assert subscribers(cli, "edit", READER, "--timezone", "Europe/Paris") == {"changed": True}
    assert [one["email"] for one in subscribers(cli, "search", "--tag", "press")] == [READER]

    assert cli.run("subscribers", "merge", READER, OTHER).code == 2  # it cannot be undone
    subscribers(cli, "merge", READER, OTHER, "--yes")
    shown = cli.run("subscribers", "show", OTHER).out
    for words in (READER, "A Reader", "also known as: other@", "rang on Monday", "Europe/Paris"):
        assert words in shown
    assert subscribers(cli, "unsubscribe", READER) == {"ended": 1}

    lines = [one["what"] for one in subscribers(cli, "history", READER)]
    assert lines == [
        *("imported", "imported", "tagged", "untagged", "note", "zone", "merged", "withdrawn")
    ]
    assert "withdrawn" in cli.run("subscribers", "history", READER).out
    printed = cli.run("subscribers", "evidence", READER).out
    assert "statement of consent: asked at the cli on 2 March" in printed
    assert len(subscribers(cli, "evidence", READER)["entries"]) == len(lines)

    assert subscribers(cli, "erase", READER, "--yes") == {"erased": True}
    assert subscribers(cli, "search", "example.com") == []


def test_everybody_in_a_segment_is_tagged_at_once(cli: CommandLine):
    for email in (READER, OTHER):
        subscribers(cli, "add", email, "--consent", "asked")
    subscribers(cli, "tag", READER, "press")
    cli.done("segments", "save", "papers", "--tag", "press")

    assert subscribers(cli, "tag", "--segment", "papers", "invited") == {"changed": 1}

    [found] = subscribers(cli, "search", "--tag", "invited")
    assert found["tags"] == ["invited", "press"]


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (("show", READER), "no subscriber with this address"),
        (("add", "nobody", "--consent", "x"), "not an address"),
        (("add", READER, "--consent", " "), "say where this subscriber's consent came from"),
        (("add", READER, "--consent", "x", "--topics", "chess"), "unknown topic: chess"),
        (("add", READER, "--consent", "x", "--timezone", "Mars"), "no such time zone"),
        (("edit", READER), "give what to correct"),
        (("erase", READER), "confirm with --yes"),
        (("erase", READER, "--yes"), "no subscriber with this address"),
        (("merge", READER, READER, "--yes"), "no subscriber with this address"),
        (("tag", "--segment", "papers", "x"), "has no segment"),
    ],
)
def test_a_slip_is_answered_in_one_sentence(cli: CommandLine, arguments, sentence):
    said = cli.run("subscribers", *arguments)
    assert said.code == 2
    assert sentence in said.err
    assert said.err.count("\n") == 1


def test_it_is_a_setting_how_long_things_are_kept(cli: CommandLine):
    service = cli.config / "service.toml"
    written = service.read_text()
    for key, value, sentence in (
        ("events_days", 3, "at least 14"),
        ("events_days", 0, "deliveries_days: 0, or at least events_days"),
        ("evidence_days", 30, "at least 365"),
        ("evidence_days", -1, "evidence_days"),
    ):
        service.write_text(f"{written}\n[retention]\n{key} = {value}\n")
        said = cli.run("subscribers", "search")
        assert said.code == 2
        assert sentence in said.err
    service.write_text(f"{written}\n[retention]\nevents_days = 0\ndeliveries_days = 0\n")
    assert cli.run("subscribers", "search").code == 0
