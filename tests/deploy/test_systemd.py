"""The units of systemd: they make sense to it, and leave the processes little to do harm with."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.settings import shipped
from tests.programs import program

UNITS = shipped("config") / "deploy" / "systemd"
NAMES = sorted(path.name for path in UNITS.glob("newsletter-*.*") if path.is_file())
EXPOSURE = 13  #: tenths; systemd calls anything below 2.0 "OK", and a unit without limits has 9.6


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units, with a program that is there, whatever blanks are in its path."""
    folder, there = tmp_path / "units", tmp_path / "program"
    there.symlink_to(sys.executable)
    shutil.copytree(UNITS, folder)
    for path in folder.glob("*.service"):
        path.write_text(path.read_text().replace("/opt/newsletter/bin/newsletter", str(there)))
    return folder


def analyze(units: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [program("systemd-analyze", "systemd"), "--no-pager", *arguments]
    environment = os.environ | {"SYSTEMD_UNIT_PATH": f"{units}:", "SYSTEMD_LOG_COLOR": "0"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def instance(name: str) -> str:
    return name.replace("@.", "@1.")


@pytest.mark.parametrize("name", NAMES)
def test_systemd_has_nothing_to_say_against_a_unit(units: Path, name: str) -> None:
    said = analyze(units, "verify", "--man=no", str(units / instance(name)))

    ours = [line for line in said.stderr.splitlines() if "newsletter" in line]
    assert (said.returncode, ours) == (0, []), said.stderr


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith(".service")])
def test_a_process_can_do_little_harm(units: Path, name: str) -> None:
    unit = str(units / instance(name))
    said = analyze(units, "security", "--offline=yes", f"--threshold={EXPOSURE}", unit)

    assert said.returncode == 0, said.stdout + said.stderr


def test_each_command_of_a_unit_is_one_of_the_program() -> None:
    from newsletter.cli.commands import COMMANDS

    texts = {name: (UNITS / name).read_text() for name in NAMES if name.endswith(".service")}
    run = {name: re.findall(r"bin/newsletter (\w+)", text) for name, text in texts.items()}
    assert {name for name, commands in run.items() if len(commands) != 1} == set()
    assert {command for [command] in run.values()} <= COMMANDS.keys()


def test_logs_in_files_are_rotated(tmp_path: Path) -> None:
    rotate = program("logrotate", "logrotate")
    text = (shipped("config") / "deploy/logrotate/newsletter").read_text()
    (tmp_path / "serve.log").write_text("{}\n")
    recipe = tmp_path / "recipe"
    ours = text.replace("su newsletter newsletter", "").replace(
        "/var/log/newsletter", f"{tmp_path}"
    )
    recipe.write_text(ours)
    recipe.chmod(0o644)
    state = ["--state", str(tmp_path / "state")]

    tried = subprocess.run(
        [rotate, "-d", *state, recipe], capture_output=True, text=True, check=False
    )
    assert (tried.returncode, "error" in tried.stderr) == (0, False), tried.stderr
    subprocess.run([rotate, "--force", *state, recipe], check=True, capture_output=True)

    assert (tmp_path / "serve.log").read_text() == ""  # the same file: its process writes on
    assert (tmp_path / "serve.log.1").read_text() == "{}\n"
