"""`newsletter demo`, as `make demo` runs it: a whole day, and the same day once more."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from newsletter.demo.environment import begin_day

pytestmark = pytest.mark.postgres


def demo(folder: Path) -> dict[str, Any]:
    environment = os.environ | {"NEWSLETTER_VAR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-m", "newsletter", "demo", "--json"],
        capture_output=True, text=True, check=False, timeout=120, env=environment,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_a_day_is_sent_once_however_often_it_is_run(tmp_path: Path) -> None:
    first, again = demo(tmp_path), demo(tmp_path)

    rulings = [brief["ruling"] for brief in first["briefs"]]
    assert {ruling: rulings.count(ruling) for ruling in set(rulings)} == {
        "accepted": 10, "held": 2, "rejected": 1,
    }  # fmt: skip
    assert all(brief["reasons"] for brief in first["briefs"] if brief["ruling"] != "accepted")
    assert (first["subscribers"]["rows"], first["subscribers"]["counts"]["added"]) == (2004, 2000)

    for day in (first, again):
        account = day["issue"]["account"]
        sums = account["sums"]
        assert day["issue"]["state"] == "sent"
        assert account["adds_up"]
        assert sums["audience"] == 2000 == sums["deliveries"] + sums["excluded"]
        assert sums["accepted"] == sums["deliveries"] == sum(account["events"].values())
        assert "no_events" not in account["events"]  # every letter has an event
        assert day["sent_twice"] == 0

    assert first["requests_this_run"] == first["issue"]["account"]["requests"] > 0
    assert (first["mjml_compiles"], first["premailer_passes"]) == (1, 1)
    assert again["requests_this_run"] == 0
    assert (again["mjml_compiles"], again["premailer_passes"]) == (0, 0)
    assert [brief["arrival"] for brief in again["briefs"]] == ["unchanged"] * 13
    assert again["issue"]["account"]["sums"] == first["issue"]["account"]["sums"]


def test_yesterdays_demo_is_cleared_and_todays_stays(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    begin_day(folder, date(2026, 11, 23))
    (folder / "letters").touch()
    begin_day(folder, date(2026, 11, 23))
    assert (folder / "letters").exists()
    begin_day(folder, date(2026, 11, 24))
    assert not (folder / "letters").exists()


@pytest.mark.parametrize("ends", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_demo_that_is_ended_leaves_nothing_running(tmp_path: Path, ends: signal.Signals) -> None:
    environment = os.environ | {"NEWSLETTER_VAR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "newsletter", "demo", "--look"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
    ) as demo:  # fmt: skip
        assert demo.stdout
        said: list[str] = []
        while not (said and "Press Ctrl-C to stop" in said[-1]):
            said.append(demo.stdout.readline())
            assert said[-1], f"it ended by itself: {said}"
        children = descendants(demo.pid)
        postmaster = int((tmp_path / "demo/postgres/postmaster.pid").read_text().split()[0])
        assert children
        assert is_alive(postmaster)

        demo.send_signal(ends)
        demo.send_signal(ends)  # an impatient second one must not cut the cleaning up short
        assert demo.wait(timeout=30) == 0

    deadline = time.monotonic() + 60
    while left := [one for one in (postmaster, *children) if is_alive(one)]:
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.05)


def descendants(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found += [child, *descendants(child)]
    return found


def is_alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
