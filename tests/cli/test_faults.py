"""Whatever is wrong: one clear sentence, the right exit code, and nothing changed."""

import json
from pathlib import Path
from shutil import copytree

import pytest

from newsletter.sandbox.server import Sandbox
from newsletter.settings import shipped
from tests.cli.conftest import BRIEF, READER, CommandLine

pytestmark = pytest.mark.postgres


# Briefs


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("half.json", json.dumps(BRIEF)[:60], "half.json, line 1, column "),
        ("noise.txt", bytes(range(256)), "noise.txt: is not text: it has NUL bytes"),
        ("huge.md", b"a" * 50_000_000, "huge.md: is larger than 2,000,000 bytes"),
        ("page.txt", "Dear all,\n", "page.txt: not a hub page"),
        ("cars.json", json.dumps(BRIEF | {"pillar": "Cars"}), "no newsletter prints 'Cars'"),
    ],
    ids=["truncated JSON", "binary", "50 MB", "not a hub page", "a strange pillar"],
)
def test_a_broken_file_of_briefs_is_named_and_nothing_of_it_is_kept(
    cli: CommandLine, name: str, content: str | bytes, words: str
) -> None:
    before, path = cli.rows(), cli.file(name, content)
    said = cli.run("briefs", "add", path, "--json")
    assert said.code == 2
    assert words in said.data["errors"][0]
    assert said.data["received"] == []
    assert words in cli.run("briefs", "add", path).out
    assert cli.rows() == before


def test_a_file_is_taken_whole_or_not_at_all_and_its_neighbours_are_taken(cli: CommandLine) -> None:
    stranger = BRIEF | {"title": "A car that parks itself in the rain", "pillar": "Cars"}
    cli.file("a.json", json.dumps([BRIEF, stranger]))
    cli.file("b.json", json.dumps(BRIEF | {"title": "A compiler explains its slowest pass"}))
    said = cli.run("briefs", "add", str(cli.folder / "a.json"), str(cli.folder / "b.json"))
    assert said.code == 2
    assert [one["title"] for one in cli.done("briefs", "list")] == [
        "A compiler explains its slowest pass"
    ]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["briefs", "add", "gone.md"], "gone.md: does not exist"),
        (["briefs", "show", "7"], "there is no brief 7"),
        (["briefs", "edit", "1"], "give what to change"),
        (["briefs", "edit", "1", "--topics", "chips,astrology"], "has no topic 'astrology'"),
        (["briefs", "accept", "1"], "brief 1 cannot be accepted: There is no link to the source"),
        (["issue", "show"], "has no issue of"),
        (["issue", "show", "--date", "tomorrow"], "'tomorrow' is not a date like"),
        (
            ["issue", "show", "--newsletter", "cars"],
            "no newsletter 'cars'; choose from: technology",
        ),
        (["issue", "approve"], "has no issue of"),
        (["issue", "preview"], "no accepted brief to print"),
        (
            ["issue", "preview", "--topics", "astrology"],
            "has no topic 'astrology'; choose from: ai-",
        ),
        (["issue", "preview", "--topics", "chips", "--for", READER], "either"),
        (["issue", "preview", "--for", READER], "no subscriber with this address"),
        (["issue", "send", "--wait"], "SENDGRID_API_KEY is not set"),
        (["subscribers", "import", "gone.csv", "--consent", "a form"], "gone.csv: No such file"),
        (["subscribers", "import", "gone.csv"], "gone.csv: No such file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_refused_with_the_reason(
    cli: CommandLine, typed: list[str], words: str
) -> None:
    cli.add_brief(source_url="")
    assert words in cli.refused(*typed)


# Lists


def test_rows_that_are_wrong_are_refused_one_by_one_in_the_result_file(cli: CommandLine) -> None:
    rows = [
        "a@example.com,,chips;security,Europe/London",
        "A@Example.com,,,",
        "not-an-address,,,",
        "b@example.com,,astrology,",
        "c@example.com,,,Mars/Olympus_Mons",
        "d@example.com,,,",
    ]
    path = cli.file("list.csv", "\n".join(["email,name,topics,timezone", *rows]))
    report = cli.done("subscribers", "import", path, "--consent", "a form")
    assert (report["rows"], report["counts"]["added"], report["counts"]["refused"]) == (6, 4, 2)
    _, *rows = Path(report["results"]).read_text().splitlines()
    assert [line.split(",")[2].strip('"') for line in rows] == [
        "added", "refused", "refused", "added", "added", "added",
    ]  # fmt: skip
    for line, words in zip(  # the last two are taken, with a warning
        rows[1:5], ("same address as line 2", "not an address", "astrology", "Mars"), strict=True
    ):
        assert words in line


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("address,name\na@example.com,\n", "no column is called “email”"),
        ("email,name\na@example.com,é\nb@example.com,".encode() + b"\xff\n", "line 3: not UTF-8"),
        ('email,name\na@example.com,\nb@example.com,"open\n', "line 3: not CSV"),
        ("", "no column is called “email”"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused_whole(
    cli: CommandLine, content: str | bytes, words: str
) -> None:
    sentence = cli.refused(
        "subscribers", "import", cli.file("list.csv", content), "--consent", "a form"
    )
    assert words in sentence
    assert "list.csv" in sentence
    assert not (cli.folder / "list.results.csv").exists()


# Settings and templates


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            'minimum_verification = "partial"',
            'minimal_verification = "partial"',
            "minimum_verification: this key is missing; minimal_verification: no such key",
        ),
        ('zone = "America/New_York"', 'zone = "Mars"', "timetable.zone: 'Mars' is not an IANA"),
        ('language = "en"', "language = en", "is not TOML: Invalid value (at line 6"),
        ('list_id = "technology.news.example.com"', "", "list_id: this key is missing"),
        ("leads = 3", 'leads = "three"', "caps.leads: Input should be a valid integer"),
        ('email = "daily@news.example.com"', 'email = "daily"', "sender: 'daily' is not an addr"),
        (
            'minimum_verification = "partial"',
            'minimum_verification = "unverified"',
            "minimum_verification: unverified briefs are never printed",
        ),
    ],
)
def test_a_slip_in_a_newsletters_file_names_the_file_and_the_key(
    cli: CommandLine, old: str, new: str, words: str
) -> None:
    cli.configure(old, new)
    sentence = cli.refused("issue", "assemble")
    assert sentence.startswith(f"{cli.newsletter}: ")
    assert words in sentence
    assert cli.run("check").code == 2


def test_a_template_with_a_slip_is_named_and_nothing_is_drafted(cli: CommandLine) -> None:
    copytree(shipped("templates"), cli.templates)
    cli.environment(NEWSLETTER_TEMPLATES=str(cli.templates))
    cli.add_brief()
    masthead = cli.templates / "issue" / "parts" / "masthead.mjml.j2"
    masthead.write_text(masthead.read_text().replace("{{ name }}", "{{ nmae }}", 1))
    sentence = cli.refused("issue", "assemble", code=1)
    assert "nmae" in sentence
    check = {one["question"]: one for one in cli.run("check", "--json").data}
    assert not check["templates"]["fine"]
    assert check["templates"]["sentence"] == sentence


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("NEWSLETTER_DATABASE_URL", "mysql://root@127.0.0.1/x", "must be a postgresql:// URL"),
        ("NEWSLETTER_DATABASE_URL", "nonsense", "NEWSLETTER_DATABASE_URL is not a database URL"),
        ("NEWSLETTER_SENDGRID_HOST", "sendgrid", "NEWSLETTER_SENDGRID_HOST: must begin with http"),
        ("NEWSLETTER_PUBLIC_URL", "news", "NEWSLETTER_PUBLIC_URL: must begin with http"),
        ("NEWSLETTER_CONFIG", "/nowhere", "/nowhere/service.toml: there is no such file"),
        ("NEWSLETTER_TEMPLATES", "/nowhere", "NEWSLETTER_TEMPLATES: /nowhere/issue is not a"),
    ],
)
def test_a_wrong_environment_is_said_with_the_variables_name(
    cli: CommandLine, name: str, value: str, words: str
) -> None:
    cli.environment(**{name: value})
    assert words in cli.refused("briefs", "list")


def test_a_database_that_does_not_answer_is_named_without_its_password(cli: CommandLine) -> None:
    url = "postgresql://user:hunter2@127.0.0.1:1/news"  # port 1: nobody listens
    cli.environment(NEWSLETTER_DATABASE_URL=url)
    sentence = cli.refused("briefs", "list")
    assert "user:***@127.0.0.1:1/news" in sentence
    check = cli.run("check", "--json")
    asked = {one["question"]: one for one in check.data}
    assert not asked["database"]["fine"]
    assert asked["templates"]["fine"]  # they need no database
    assert "hunter2" not in sentence + check.out + check.err


# Sending


def test_a_wrong_key_is_found_out_before_anything_is_planned(
    sending_cli: CommandLine, sandbox: Sandbox
) -> None:
    sending_cli.environment(SENDGRID_API_KEY="SG.wrong")
    sending_cli.done("issue", "assemble")
    sentence = sending_cli.refused("issue", "send", "--wait")
    assert "401: The provided authorization grant is invalid" in sentence
    assert "SG.wrong" not in sentence
    assert sending_cli.done("issue", "status")["state"] == "approved"
    assert sandbox.stats()["accepted_recipients"] == 0


def test_a_day_without_news_is_an_empty_issue_and_nothing_is_sent(
    cli: CommandLine, sandbox: Sandbox
) -> None:
    cli.environment(NEWSLETTER_SENDGRID_HOST=sandbox.url, SENDGRID_API_KEY="SG.right")
    cli.subscribe(READER)
    said = cli.run("issue", "send", "--wait")
    assert said.code == 0
    assert "The issue is empty, so nothing is sent." in said.out
    assert cli.done("issue", "status")["state"] == "empty"
    assert sandbox.messages() == []


def test_an_issue_that_a_person_approves_waits_for_it_and_an_edit_voids_it(
    sending_cli: CommandLine, sandbox: Sandbox
) -> None:
    cli = sending_cli
    cli.configure('approval = "automatic"', 'approval = "person"')
    assert cli.done("issue", "assemble")["state"] == "draft"
    assert "is not approved" in cli.refused("issue", "send", "--wait")
    approved = cli.done("issue", "approve")
    assert approved["approved_hash"] == approved["content_hash"]
    cli.done("briefs", "edit", "1", "--title", "A foundry quarters the water for a wafer")
    assert "is not approved" in cli.run("issue", "send", "--wait").err
    again = cli.done("issue", "show")
    assert (again["state"], again["approved_by"]) == ("draft", None)
    assert sandbox.messages() == []
    assert cli.done("issue", "approve")["approved_hash"] != approved["approved_hash"]
    assert cli.done("issue", "send", "--wait")["state"] == "sent"
    assert [m["subject"] for m in sandbox.messages()] == [
        "A foundry quarters the water for a wafer"
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            'email = "daily@news.example.com"',
            'email = "nightly@news.example.com"',
            "is not what was approved: its sender or links changed since",
        ),
        (
            'postal_address = "Technology Daily, 1 Example Street, Example City 00000"',
            'postal_address = " "',
            "postal_address is empty",
        ),
    ],
)
def test_what_changed_in_the_settings_after_approval_is_not_sent(
    sending_cli: CommandLine, sandbox: Sandbox, old: str, new: str, words: str
) -> None:
    sending_cli.done("issue", "assemble")
    sending_cli.configure(old, new)
    assert words in sending_cli.refused("issue", "send", "--wait")
    assert sandbox.messages() == []


def test_the_example_sender_is_good_for_this_machine_alone(sending_cli: CommandLine) -> None:
    sending_cli.done("issue", "assemble")
    sending_cli.environment(NEWSLETTER_SENDGRID_HOST="https://api.sendgrid.example")
    sentence = sending_cli.refused("issue", "send", "--wait")
    assert "sender.email is still the example daily@news.example.com" in sentence
    assert "one-click unsubscribe needs https" in sentence


def test_a_pause_is_said_with_the_reason_and_only_a_resume_goes_on(
    sending_cli: CommandLine, sandbox: Sandbox
) -> None:
    sandbox.fail({"kind": "status_401_credits", "times": 1})
    said = sending_cli.run("issue", "send", "--wait", "--json")
    assert said.code == 1
    assert said.data["state"] == "paused"
    assert "Maximum credits exceeded" in said.data["reason"]
    assert said.err.startswith("error: the issue of ")
    assert "Maximum credits exceeded" in said.err
    why = sending_cli.refused("issue", "send", "--wait")
    assert "is paused by the worker: 401" in why
    assert "`newsletter issue resume --newsletter technology --date " in why
    shown = sending_cli.run("issue", "status").out
    assert "`newsletter issue resume --newsletter technology --date " in shown
    sending_cli.done("issue", "resume", "--because", "there are credits")
    assert sending_cli.done("issue", "send", "--wait")["state"] == "sent"
    assert sandbox.stats()["repeated"] == 0
