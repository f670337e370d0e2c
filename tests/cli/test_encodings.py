"""Terminals that know fewer characters than we use: nothing breaks off, and no data is lost."""

import json
import os
import subprocess
import sys

import pytest

from tests.cli.conftest import CommandLine

pytestmark = pytest.mark.postgres

TITLE = "Zürich’s foundry – 50 µm … ✓ 日本"
LOCALES = [
    {"PYTHONIOENCODING": "ascii"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
]


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "newsletter", *arguments],
        env=os.environ | environment, capture_output=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("environment", LOCALES, ids=str)
def test_in_an_ascii_locale_every_line_is_printed_to_its_end(
    cli: CommandLine, environment: dict[str, str]
) -> None:
    cli.add_brief(title=TITLE)

    shown = run(environment, "briefs", "list")
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert b"Z?rich's foundry - 50 ?m ... + ??" in shown.stdout
    checked = run(environment, "check")
    assert b"+ settings" in checked.stdout
    assert b"x key " in checked.stdout
    assert run(environment, "--help").stderr == b""
    refused = run(environment, "briefs", "add", "/no/Zürich–file.md")
    assert refused.returncode == 2
    assert refused.stderr.startswith(b"error: ")
    assert refused.stderr.endswith(b"\n")


@pytest.mark.parametrize("environment", LOCALES, ids=str)
def test_data_is_whole_whatever_the_locale(cli: CommandLine, environment: dict[str, str]) -> None:
    cli.add_brief(title=TITLE)
    cli.subscribe("reader@example.com,Jürgen 日本,chips,UTC")

    listed = run(environment, "briefs", "list", "--json")
    assert json.loads(listed.stdout)[0]["title"] == TITLE
    exported = run(environment, "subscribers", "export", "-")
    assert (exported.returncode, exported.stderr) == (0, b"")
    assert "Jürgen 日本" in exported.stdout.decode()
