"""One send on machines that lose each other, in short; `make cluster` is the whole."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.namespaces import why_not

pytestmark = pytest.mark.postgres

ROOT = Path(__file__).parents[2]


def test_machines_that_lose_each_other_send_everything_once() -> None:
    if (reason := why_not()) and not os.environ.get("REQUIRE_CLUSTER"):
        pytest.skip(f"no network of machines can be made here: {reason}")
    line = [sys.executable, "-m", "tests.cluster", "--json", "--recipients=600", "--batch-size=5"]
    done = subprocess.run(
        [*line, "--away=5"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=400
    )
    assert done.returncode == 0, done.stderr + done.stdout
    result = json.loads(done.stdout)
    assert (result["lost"], result["doubled"], result["wrong"]) == (0, 0, [])
    assert result["deaths"] == 0  # each came through by itself
    assert {"the standby leads", "cut off: PostgreSQL", "the end"} <= set(result["done"])
