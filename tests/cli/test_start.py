"""How much a command imports: no command waits for what another one needs."""

import os
import subprocess
import sys

import pytest

from newsletter.cli.commands import COMMANDS
from newsletter.cli.lazy import LazyCommands
from tests.cli.conftest import CommandLine

#: Each of these takes a tenth of a second or more.
HEAVY = {"alembic", "apscheduler", "apprise", "cryptography", "fastapi", "lxml", "mjml"}
HEAVY |= {"premailer", "procrastinate", "psycopg", "sendgrid", "sqlalchemy", "sqlmodel", "uvicorn"}
RUN = """
import atexit, sys
from newsletter.cli import main
atexit.register(lambda: sys.stderr.write(" ".join(sys.modules)))
main({arguments!r})
"""


def imported_by(*arguments: str, **environment: str) -> set[str]:
    """Return the modules that a command imported in a process of its own."""
    code = RUN.format(arguments=arguments)
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment or None, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


def test_the_main_help_page_imports_no_command_and_nothing_heavy() -> None:
    modules = imported_by("--help")

    assert modules & (HEAVY | {"pydantic"}) == set()
    ours = {name for name in modules if name.startswith(("newsletter.", "subscribers."))}
    assert ours <= {
        "newsletter.cli", "newsletter.cli.app", "newsletter.cli.commands", "newsletter.cli.common",
        "newsletter.cli.lazy", "newsletter.cli.streams", "newsletter.errors", "subscribers.errors",
    }  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_page_of_a_command_imports_nothing_heavy(name: str) -> None:
    assert imported_by(name, "--help") & HEAVY == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_main_help_page_says_of_a_command_what_its_own_page_says(name: str) -> None:
    first = LazyCommands(COMMANDS)[name].help.split("\n\n")[0]

    assert COMMANDS[name].help == " ".join(first.split())


@pytest.mark.postgres
def test_a_short_command_imports_neither_the_web_nor_the_letters(cli: CommandLine) -> None:
    modules = imported_by("briefs", "list", **os.environ)

    assert modules & (HEAVY - {"sqlalchemy", "sqlmodel", "psycopg", "cryptography"}) == set()
