"""What the command line says of itself, and to slips of the pen; no database is needed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from newsletter.cli import main
from newsletter.cli.app import app

ROOT = Path(__file__).parents[2]


def paths(command: object, before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return every command that is not hidden, as the words one types."""
    verbs = getattr(command, "commands", {})
    shown = {name: verb for name, verb in verbs.items() if not verb.hidden}
    found = [path for name, verb in shown.items() for path in paths(verb, (*before, name))]
    return found or [before]


VERBS = paths(typer.main.get_command(app))


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_every_promised_verb_is_there() -> None:
    promised = {
        ("demo",), ("check",), ("why",), ("serve",), ("worker",), ("sandbox",),
        ("subscribers", "import"),
        *(("briefs", verb) for verb in ("add", "list", "show", "edit", "hold", "accept")),
        *(("issue", v) for v in ("assemble", "show", "preview", "approve", "send", "status")),
    }  # fmt: skip
    assert promised <= set(VERBS)


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_verb_explains_itself_and_each_of_its_options(
    verb: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    code, page, _ = said(capsys, *verb, "--help")
    assert code == 0
    command = typer.main.get_command(app)
    for name in verb:
        command = command.commands[name]  # type: ignore[attr-defined]
    assert command.help
    names = {name for parameter in command.params for name in parameter.opts}
    assert {name for name in names if name.startswith("--")} <= set(re.findall(r"--[\w-]+", page))
    assert [p.name for p in command.params if not getattr(p, "help", None)] == []


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_verb_that_answers_also_answers_with_json(verb: tuple[str, ...]) -> None:
    command = typer.main.get_command(app)
    for name in verb:
        command = command.commands[name]  # type: ignore[attr-defined]
    takes_json = any("--json" in parameter.opts for parameter in command.params)
    assert takes_json is (verb[0] not in {"serve", "scheduler", "worker", "sandbox"})


def test_no_line_of_the_help_page_is_wider_than_a_small_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, page, _ = said(capsys, "--help")
    assert code == 0
    assert max(map(len, page.splitlines())) <= 80
    summaries = re.findall(r"│ (\w+) +(\w.*?) +│", page)
    assert {name for name, _ in summaries} >= {verb[0] for verb in VERBS}  # one line each


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["brief"], "No such command 'brief'"),
        (["issue", "send", "--wate"], "No such option: --wate"),
        (["briefs", "show"], "Missing argument 'ID'"),
        (["briefs", "show", "one"], "'ID'"),
        (["briefs", "edit", "1", "--verification", "sure"], "'sure' is not one of 'verified'"),
        (["sandbox", "--port", "70000"], "'--port'"),
    ],
)
def test_a_slip_of_the_pen_is_answered_with_one_sentence(
    typed: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = said(capsys, *typed)
    assert (code, out) == (2, "")
    assert re.fullmatch(r"error: [^\n]+ \(see \S+[\w ]* --help\)\n", err)
    assert words in err


def test_a_command_without_a_verb_shows_its_help_and_no_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = said(capsys, "briefs")
    assert (code, err) == (2, "")
    assert "hold" in out


def test_a_help_page_opens_without_the_heavy_libraries() -> None:
    heavy = (
        "sqlalchemy",
        "fastapi",
        "alembic",
        "procrastinate",
        "sendgrid",
        "premailer",
        "uvicorn",
    )
    program = f"import sys, newsletter.cli; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == "[]\n"


def test_an_error_nobody_foresaw_is_one_sentence_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("no\nmore")

    monkeypatch.setattr("newsletter.cli.common.container", broken)
    monkeypatch.setattr("newsletter.cli.briefs.container", broken)
    monkeypatch.setattr("newsletter.cli.app.close_container", lambda: None)
    code, _, err = said(capsys, "briefs", "show", "1")
    assert (code, err) == (1, "error: unexpected ZeroDivisionError: no\n")


def test_an_interrupt_ends_quietly(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("newsletter.cli.briefs.container", interrupted)
    assert said(capsys, "briefs", "show", "1") == (130, "", "")


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "--version")
    assert code == 0
    assert re.fullmatch(r"newsletter \d+\.\d+\.\d+, on tables of version \d{4}\n", out)
