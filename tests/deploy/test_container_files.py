"""The Dockerfile and compose.yaml: what can be said of them where no Docker daemon runs."""

import re
import tomllib
from pathlib import Path

import yaml

from newsletter import __version__
from newsletter.cli.commands import COMMANDS
from newsletter.settings import EnvironmentSettings

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SERVICES = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
OURS = {name: one for name, one in SERVICES.items() if name != "database"}
KNOWN = {str(one.validation_alias) for one in EnvironmentSettings.model_fields.values()}


def test_each_process_runs_without_rights_and_writes_only_where_it_may() -> None:
    for one in OURS.values():
        assert one["read_only"] is True
        assert one["cap_drop"] == ["ALL"]
        assert one["security_opt"] == ["no-new-privileges:true"]
        assert one["volumes"][0].endswith(":ro")
    assert re.search(r"^USER \d{4,}$", DOCKERFILE, re.MULTILINE)
    assert DOCKERFILE.index("USER") < DOCKERFILE.index("ENTRYPOINT")


def test_nobody_else_than_this_machine_reaches_a_port() -> None:
    ports = [port for one in SERVICES.values() for port in one.get("ports", ())]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_commands_and_variables_exist() -> None:
    commands = {re.sub(r"^exec newsletter ", "", one["command"][0]) for one in OURS.values()}
    assert {one.split()[0] for one in commands} <= COMMANDS.keys()
    set_here = {name for one in OURS.values() for name in one["environment"]}
    set_there = set(re.findall(r"\b(NEWSLETTER_\w+)=", DOCKERFILE))
    assert set_here | set_there <= KNOWN
    assert {one["image"] for one in OURS.values()} == {f"newsletter:{__version__}"}


def test_what_is_copied_exists_and_is_let_through() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    for name in " ".join(copied).split():
        assert (ROOT / name).exists()
        assert f"!{name}" in ignored
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    wheel = build["targets"]["wheel"]
    assert {*wheel["packages"], *wheel["force-include"]} <= set(" ".join(copied).split())
