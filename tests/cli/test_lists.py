"""Lists at the command line: another service's export is imported, exported and undone."""

import csv
import json
import shlex
import subprocess
import sys
from io import StringIO
from pathlib import Path
from subprocess import PIPE

import pytest

from tests.cli.conftest import CommandLine

pytestmark = pytest.mark.postgres

SAMPLES = Path(__file__).parents[1] / "subscribers/lists/exports"


def taken_in(cli: CommandLine, sample: str, *options: str) -> dict[str, int]:
    path = cli.file("list.csv", (SAMPLES / f"{sample}.csv").read_bytes())
    report = cli.done("subscribers", "import", path, "--consent", "a form of 2023", *options)
    return {result: count for result, count in report["counts"].items() if count}


def says(cli: CommandLine, *arguments: str) -> str:
    said = cli.run(*arguments)
    assert (said.code, said.err) == (0, ""), said
    return said.out


def exported(cli: CommandLine, *options: str) -> list[str]:
    said = says(cli, "subscribers", "export", "-", *options)
    return [row["email"] for row in csv.DictReader(StringIO(said))]


def test_a_list_comes_from_another_service_and_is_taken_back(cli: CommandLine) -> None:
    before = cli.rows()
    assert taken_in(cli, "mailchimp_unsubscribed", "--dry-run") == {"ended": 1, "suppressed": 1}
    assert cli.rows() == before
    assert taken_in(cli, "mailchimp_unsubscribed") == {"ended": 1, "suppressed": 1}
    assert taken_in(cli, "mailchimp_subscribed") == {"ended": 1, "suppressed": 1, "refused": 1}
    assert taken_in(cli, "ghost") == {"ended": 2, "suppressed": 1}
    path = cli.file("more.csv", "Mail\tGroup\nmore@example.com\tPodcast\n")
    explained = ("--map", "Mail=email", "--map", "Group=tags")
    report = cli.done("subscribers", "import", path, "--consent", "a form", *explained)
    assert (report["counts"]["added"], report["format"]) == (1, "list")

    listed = cli.done("subscribers", "imports")
    assert [one["format"] for one in listed][1:] == [
        "Ghost",
        "Mailchimp",
        "Mailchimp, unsubscribed",
    ]
    assert listed[0]["consent_source"] == "a form"
    assert "Mailchimp, unsubscribed" in says(cli, "subscribers", "imports")

    assert exported(cli, "--tag", "Podcast") == ["more@example.com"]
    assert exported(cli, "--status", "mailable") == ["more@example.com"]
    assert len(exported(cli, "--status", "ended")) == 2
    written = cli.done("subscribers", "export", str(cli.folder / "out.ndjson"))
    assert written["subscriptions"] == 4
    lines = (cli.folder / "out.ndjson").read_text().splitlines()
    assert json.loads(lines[-1])["email"] == "third@example.com"

    number = str(listed[0]["id"])
    assert "1 would be removed" in says(cli, "subscribers", "undo", number, "--dry-run")
    assert cli.done("subscribers", "undo", number)["removed"] == 1
    assert "has already been undone" in says(cli, "subscribers", "undo", number)
    assert exported(cli, "--status", "mailable") == []
    ended = says(cli, "subscribers", "undo", str(listed[3]["id"]))
    assert "kept, so that nobody who left gets letters: 2 unsubscribes, 1 suppressions" in ended


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["undo", "99"], "there was no import 99"),
        (["export", "out.xls"], "ends in .csv or .ndjson"),
        (["export", "-", "--segment", "nobody"], "no segment 'nobody'"),
        (
            ["export", "-", "--segment", "some", "--tag", "x"],
            "cannot be combined with other filters",
        ),
        (["export", "-", "--status", "asleep"], "'asleep' is none of mailable"),
        (["export", "-", "--topic", "astrology"], "there is no 'astrology'"),
    ],
)
def test_what_cannot_be_done_with_lists_is_refused_with_the_reason(
    cli: CommandLine, typed: list[str], words: str
) -> None:
    assert words in cli.refused("subscribers", *typed)


def test_two_imports_of_one_file_at_once_both_answer_for_every_row(cli: CommandLine) -> None:
    rows = (f"reader-{number}@example.com,chips" for number in range(2000))
    path = cli.file("list.csv", "\n".join(["email,topics", *rows]))
    command = [sys.executable, "-m", "newsletter", "subscribers", "import", path]
    running = [
        subprocess.Popen([*command, "--consent", "a form"], stdout=PIPE, stderr=PIPE)
        for _ in range(2)
    ]
    for process in running:
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, b""), (out, err)

    assert cli.rows()["subscriber"] == 2000
    results = Path(path).with_suffix(".results.csv").read_text(encoding="utf-8")
    assert len(results.splitlines()) == 2001
    assert sorted(one.name for one in cli.folder.glob("list*")) == ["list.csv", "list.results.csv"]


def test_what_must_be_explained_is_answered_with_a_command_to_copy(cli: CommandLine) -> None:
    content = "Email,Accepts Marketing,GDPR\na@example.com,yes,ok\nb@example.com,no,no\n"
    path = cli.file("shop.csv", content)
    said = cli.run("subscribers", "import", path, "--consent", "the shop's form")
    code, asked = said.code, said.err
    assert code == 2
    assert "“Accepts Marketing”" in asked
    assert "“GDPR”" in asked
    command = shlex.split(asked.strip().splitlines()[-1])
    assert command[:3] == ["newsletter", "subscribers", "import"]
    report = cli.done(*command[1:])
    assert (report["counts"]["added"], report["counts"]["ended"]) == (1, 1)


def test_a_file_of_people_who_left_adds_nobody(cli: CommandLine) -> None:
    cli.subscribe("here@example.com,,,")
    path = cli.file("bounces.csv", "here@example.com\nnew@example.com\n")
    asked = cli.run("subscribers", "import", path, "--consent", "a form").err
    assert "Are these the people who left" in asked
    assert "--as bounced" in asked
    report = cli.done("suppressions", "import", path, "--as", "bounced")
    assert (report["counts"]["added"], report["counts"]["suppressed"]) == (0, 2)
    shown = cli.done("suppressions", "list", "--reason", "bounce")["suppressions"]
    assert sorted(one["email"] for one in shown) == ["here@example.com", "new@example.com"]


def test_what_could_not_be_read_is_listed_in_the_answer(cli: CommandLine) -> None:
    path = cli.file("list.csv", "email,topics\njoe@gmial.com,Nope\ninfo@example.com,chips\n")
    said = says(cli, "subscribers", "import", path, "--consent", "a form")
    assert "1 × no topic: Nope" in said
    assert "did they mean joe@gmail.com?" in said
    assert "info@example.com is the address of a role" in said
