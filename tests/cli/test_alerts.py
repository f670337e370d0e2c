"""`newsletter alerts test`, and what `newsletter check` says about channels."""

import json

import pytest

from newsletter.cli import main
from tests.alert_receiver import (
    Receiver,
)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path):
    """Run a verb in a place without a database; return its code and what it printed."""
    monkeypatch.setenv("NEWSLETTER_VAR", str(tmp_path))
    monkeypatch.setenv("NEWSLETTER_DATABASE_URL", "postgresql://127.0.0.1:9/nothing")

    def ran(*arguments: str, alerts: str = "") -> tuple[int, str, str]:
        monkeypatch.setenv("NEWSLETTER_ALERTS", alerts)
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        return int(ended.value.code or 0), *capsys.readouterr()

    return ran


def test_a_trial_arrives_and_says_so(run, receiver: Receiver) -> None:
    code, out, err = run("alerts", "test", alerts=receiver.url)
    assert (code, out, err) == (0, "✓ JSON (no. 1)\n", "")
    assert receiver.posted[0]["title"] == "newsletter: a trial"


def test_a_channel_that_fails_is_named_with_its_reason_and_no_secret(
    run, receiver: Receiver
) -> None:
    urls = f"{receiver.url} json://user:sesame@127.0.0.1:9/nobody"
    code, out, err = run("alerts", "test", "--json", alerts=urls)
    taken, failed = json.loads(out)
    assert code == 1
    assert taken == {"channel": "JSON (no. 1)", "failed": None}
    assert "Connection error" in failed["failed"]
    assert "sesame" not in out + err


def test_without_a_channel_there_is_nothing_to_try(run) -> None:
    code, out, err = run("alerts", "test")
    assert (code, out) == (2, "")
    assert err == "error: there is no alert channel: NEWSLETTER_ALERTS names none\n"


@pytest.mark.parametrize(
    ("alerts", "fine", "words"),
    [
        ("", True, "no channel: alerts go to the log only"),
        ("json://127.0.0.1:9/x, json://127.0.0.1:9/y", True, "JSON (no. 1), JSON (no. 2);"),
        ("nonsense://sesame", False, "NEWSLETTER_ALERTS: entry 1 is not a valid Apprise URL"),
    ],
)
def test_check_says_whether_a_channel_is_configured(
    run, alerts: str, fine: bool, words: str
) -> None:
    _, out, err = run("check", "--json", alerts=alerts)
    [said] = [one for one in json.loads(out) if one["question"] == "alerts"]
    assert said["fine"] is fine
    assert said["sentence"].startswith(words)
    assert "sesame" not in out + err
