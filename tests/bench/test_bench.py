"""The bench itself, at a size that shows that it works and says nothing about speed."""

import json

import pytest

from tests.bench.bench import Sizes
from tests.bench.report import Figure, as_json, show
from tests.bench.run import run

pytestmark = pytest.mark.postgres


def test_the_whole_bench_runs_and_everyone_is_reached_once(capsys):
    steps: list[str] = []

    machine, figures = run(Sizes.of(300, past=3), steps.append)  # it asserts what it measures

    named = {one.name: one for one in figures}
    [compiles] = [one for name, one in named.items() if name.startswith("MJML compiles")]
    assert compiles.value == 1
    assert all(one.value > 0 for one in figures)
    assert json.loads(as_json(machine, figures))["figures"][0]["name"] == figures[0].name
    show(machine, figures)
    assert "event intake" in capsys.readouterr().out
    assert any("workers: 2" in step for step in steps)


def test_a_full_run_has_as_many_topic_sets_as_eleven_topics_allow():
    assert Sizes.of(1_000_000).topics == 11
    assert Sizes.of(100_000).topics == 11


def test_a_ratio_is_shown_beside_its_figure(capsys):
    show({"cores": "2"}, [Figure("import", 1234.5, "rows/s", 3.21, "the COPY", "≤ 5")])

    line = next(one for one in capsys.readouterr().out.splitlines() if "import" in one)
    assert [part.strip() for part in line.split("│")[1:-1]] == [
        "import",
        "1,234",
        "rows/s",
        "3.21 × the COPY",
        "≤ 5",
    ]
