"""Days without an issue at the command line."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.cli.conftest import CommandLine

pytestmark = pytest.mark.postgres


def test_a_day_is_skipped_with_a_reason_and_has_its_issue_again(cli: CommandLine) -> None:
    today = datetime.now(UTC).date()
    monday = str(today + timedelta(days=7 - today.weekday()))
    skipped = cli.done("issue", "skip", "--date", monday, "--because", "nobody works")
    assert (skipped["date"], skipped["because"]) == (monday, "nobody works")
    assert cli.done("issue", "unskip", "--date", monday)["was_skipped"] is True
    assert f"{monday} was not skipped" in cli.run("issue", "unskip", "--date", monday).out
    assert "a reason is needed" in cli.refused(
        *("issue", "skip", "--date", monday, "--because", " ")
    )
