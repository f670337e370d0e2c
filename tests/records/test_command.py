"""One person at the command line: a journey, and a sentence for every slip."""

import pytest

from tests.cli.conftest import READER, Desk

pytestmark = pytest.mark.postgres

OTHER = "other@example.com"


def subscribers(desk: Desk, *arguments: str):
    return desk.done("subscribers", *arguments)


def test_a_person_is_added_kept_in_order_merged_and_forgotten(desk: Desk):
    statement = ("--consent", "asked at the desk on 2 March")
    subscribers(desk, "add", READER, *statement, "--topics", "chips", "--name", "A Reader")
    subscribers(desk, "add", OTHER, *statement)
    assert subscribers(desk, "tag", READER, "vip, press") == {"changed": 1}
    assert subscribers(desk, "untag", READER, "vip") == {"changed": 1}
    subscribers(desk, "note", READER, "rang on Monday")
    assert subscribers(desk, "edit", READER, "--timezone", "Europe/Paris") == {"changed": True}
    assert [one["email"] for one in subscribers(desk, "search", "--tag", "press")] == [READER]

    assert desk.run("subscribers", "merge", READER, OTHER).code == 2  # it cannot be undone
    subscribers(desk, "merge", READER, OTHER, "--yes")
    shown = desk.run("subscribers", "show", OTHER).out
    for words in (READER, "A Reader", "also known as: other@", "rang on Monday", "Europe/Paris"):
        assert words in shown
    assert subscribers(desk, "leave", READER) == {"ended": 1}

    lines = [one["what"] for one in subscribers(desk, "history", READER)]
    assert lines == [
        *("imported", "imported", "tagged", "untagged", "note", "zone", "merged", "withdrawn")
    ]
    assert "withdrawn" in desk.run("subscribers", "history", READER).out
    printed = desk.run("subscribers", "evidence", READER).out
    assert "statement of consent: asked at the desk on 2 March" in printed
    assert len(subscribers(desk, "evidence", READER)["entries"]) == len(lines)

    assert subscribers(desk, "erase", READER, "--yes") == {"erased": True}
    assert subscribers(desk, "search", "example.com") == []


def test_everybody_in_a_segment_is_tagged_at_once(desk: Desk):
    for email in (READER, OTHER):
        subscribers(desk, "add", email, "--consent", "asked")
    subscribers(desk, "tag", READER, "press")
    desk.done("segments", "save", "papers", "--tag", "press")

    assert subscribers(desk, "tag", "--segment", "papers", "invited") == {"changed": 1}

    [found] = subscribers(desk, "search", "--tag", "invited")
    assert found["tags"] == ["invited", "press"]


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (("show", READER), "no subscriber of this address"),
        (("add", "nobody", "--consent", "x"), "not an address"),
        (("add", READER, "--consent", " "), "say where this subscriber's consent came from"),
        (("add", READER, "--consent", "x", "--topics", "chess"), "unknown topic: chess"),
        (("add", READER, "--consent", "x", "--timezone", "Mars"), "no such time zone"),
        (("edit", READER), "say what is to be corrected"),
        (("erase", READER), "say --yes"),
        (("erase", READER, "--yes"), "no subscriber of this address"),
        (("merge", READER, READER, "--yes"), "no subscriber of this address"),
        (("tag", "--segment", "papers", "x"), "has no segment"),
    ],
)
def test_a_slip_is_answered_in_one_sentence(desk: Desk, arguments, sentence):
    said = desk.run("subscribers", *arguments)
    assert said.code == 2
    assert sentence in said.err
    assert said.err.count("\n") == 1


def test_it_is_a_setting_how_long_things_are_kept(desk: Desk):
    service = desk.config / "service.toml"
    written = service.read_text()
    for key, value, sentence in (
        ("events_days", 3, "at least 14"),
        ("evidence_days", 30, "at least 365"),
        ("evidence_days", -1, "evidence_days"),
    ):
        service.write_text(f"{written}\n[retention]\n{key} = {value}\n")
        said = desk.run("subscribers", "search")
        assert said.code == 2
        assert sentence in said.err
    service.write_text(f"{written}\n[retention]\nevents_days = 0\n")
    assert desk.run("subscribers", "search").code == 0
