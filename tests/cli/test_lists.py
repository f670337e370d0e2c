"""Lists at the command line: a service's export comes in, is looked at, goes out, is taken back."""

import csv
import json
from io import StringIO
from pathlib import Path

import pytest

from tests.cli.conftest import Desk

pytestmark = pytest.mark.postgres

SAMPLES = Path(__file__).parents[1] / "subscribers/exports"


def taken_in(desk: Desk, sample: str, *options: str) -> dict[str, int]:
    path = desk.file("list.csv", (SAMPLES / f"{sample}.csv").read_bytes())
    report = desk.done("subscribers", "import", path, "--consent", "a form of 2023", *options)
    return {result: count for result, count in report["counts"].items() if count}


def says(desk: Desk, *arguments: str) -> str:
    said = desk.run(*arguments)
    assert (said.code, said.err) == (0, ""), said
    return said.out


def exported(desk: Desk, *options: str) -> list[str]:
    said = says(desk, "subscribers", "export", "-", *options)
    return [row["email"] for row in csv.DictReader(StringIO(said))]


def test_a_list_comes_from_another_service_and_is_taken_back(desk: Desk) -> None:
    before = desk.rows()
    assert taken_in(desk, "mailchimp_unsubscribed", "--dry-run") == {"ended": 1, "suppressed": 1}
    assert desk.rows() == before
    assert taken_in(desk, "mailchimp_unsubscribed") == {"ended": 1, "suppressed": 1}
    assert taken_in(desk, "mailchimp_subscribed") == {"ended": 1, "suppressed": 1, "refused": 1}
    assert taken_in(desk, "ghost") == {"ended": 2, "suppressed": 1}
    path = desk.file("more.csv", "Mail\tGroup\nmore@example.com\tPodcast\n")
    explained = ("--map", "Mail=email", "--map", "Group=tags")
    report = desk.done("subscribers", "import", path, "--consent", "a form", *explained)
    assert (report["counts"]["added"], report["format"]) == (1, "list")

    listed = desk.done("subscribers", "imports")
    assert [one["format"] for one in listed][1:] == [
        "Ghost",
        "Mailchimp",
        "Mailchimp, unsubscribed",
    ]
    assert listed[0]["consent_source"] == "a form"
    assert "Mailchimp, unsubscribed" in says(desk, "subscribers", "imports")

    assert exported(desk, "--tag", "Podcast") == ["more@example.com"]
    assert exported(desk, "--status", "mailable") == ["more@example.com"]
    assert len(exported(desk, "--status", "ended")) == 2
    written = desk.done("subscribers", "export", str(desk.folder / "out.ndjson"))
    assert written["subscriptions"] == 4
    lines = (desk.folder / "out.ndjson").read_text().splitlines()
    assert json.loads(lines[-1])["email"] == "third@example.com"

    number = str(listed[0]["id"])
    assert "1 would be removed" in says(desk, "subscribers", "undo", number, "--dry-run")
    assert desk.done("subscribers", "undo", number)["removed"] == 1
    assert "was undone before" in says(desk, "subscribers", "undo", number)
    assert exported(desk, "--status", "mailable") == []
    ended = says(desk, "subscribers", "undo", str(listed[3]["id"]))
    assert "people who left stays: goodbyes 2, suppressions 1" in ended


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["undo", "99"], "there was no import 99"),
        (["export", "out.xls"], "ends in .csv or .ndjson"),
        (["export", "-", "--segment", "nobody"], "no segment 'nobody'"),
        (["export", "-", "--segment", "some", "--tag", "x"], "leave the others out"),
        (["export", "-", "--status", "asleep"], "'asleep' is none of mailable"),
        (["export", "-", "--topic", "astrology"], "there is no 'astrology'"),
    ],
)
def test_what_cannot_be_done_with_lists_is_refused_with_the_reason(
    desk: Desk, typed: list[str], words: str
) -> None:
    assert words in desk.refused("subscribers", *typed)
