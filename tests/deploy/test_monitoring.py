"""Prometheus' alert rules and Grafana's board: each names figures that exist, and fires in time."""

import json
import re
import subprocess

import pytest
import yaml

from newsletter.adapters.metrics import metric_families
from newsletter.cli.commands import COMMANDS
from newsletter.settings import shipped
from tests.programs import program

DEPLOY = shipped("config") / "deploy"
RULES = DEPLOY / "prometheus" / "newsletter-alerts.yml"
[GROUP] = yaml.safe_load(RULES.read_text())["groups"]
PANELS = json.loads((DEPLOY / "grafana" / "newsletter.json").read_text())["panels"]
FAMILIES = {one.name: one for one in metric_families()}
METRIC = re.compile(r"\b(newsletter_\w+)(?:\{(\w+)=)?")
EXPRESSIONS = {
    **{rule["alert"]: rule["expr"] for rule in GROUP["rules"]},
    **{panel["title"]: " ".join(one["expr"] for one in panel["targets"]) for panel in PANELS},
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_every_figure_and_label_exists(name: str) -> None:
    found = METRIC.findall(EXPRESSIONS[name])
    assert found or "up{" in EXPRESSIONS[name]
    assert {metric for metric, _ in found} <= FAMILIES.keys()
    assert [pair for pair in found if pair[1] and pair[1] not in FAMILIES[pair[0]].labels] == []


def test_the_board_shows_every_figure() -> None:
    shown = {
        metric for panel in PANELS for metric, _ in METRIC.findall(EXPRESSIONS[panel["title"]])
    }
    assert shown == FAMILIES.keys()


def test_every_alert_says_what_to_do_with_commands_that_exist() -> None:
    actions = [rule["annotations"]["action"] for rule in GROUP["rules"]]
    said = [one.split() for one in actions]
    assert {words[1] for words in said if words[0] == "newsletter"} <= COMMANDS.keys()
    assert {words[0] for words in said} == {"newsletter", "systemctl", "compare"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "rules", "newsletter-alerts.yml"),
        ("check", "config", "--syntax-only", "prometheus.yml"),
        ("test", "rules", "newsletter-alerts-test.yml"),
    ],
    ids=" ".join,
)
def test_promtool_finds_the_rules_right_and_sees_each_alert_fire(
    arguments: tuple[str, ...],
) -> None:
    command = [program("promtool", "prometheus"), *arguments]
    said = subprocess.run(command, cwd=RULES.parent, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
