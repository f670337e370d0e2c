"""The inbox pages, and the command line that starts it all."""

import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sendgrid import SendGridAPIClient

from newsletter.sandbox.config import CONFIG_JSON, SandboxConfig
from newsletter.sandbox.events import Shares
from newsletter.sandbox.server import Sandbox

Make = Callable[..., dict[str, Any]]
ATTACK = "<script>alert(1)</script>"


def page(sandbox: Sandbox, path: str) -> tuple[str, str]:
    """The policy and the text of a page."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(sandbox.url + path, timeout=30) as reply:
        return reply.headers["Content-Security-Policy"] or "", reply.read().decode()


@pytest.fixture
def number(sandbox: Sandbox, client: SendGridAPIClient, message: Make) -> int:
    """The number of a letter that means harm."""
    request = message(
        subject=f"Hi {ATTACK}",
        headers={"List-Unsubscribe-Post": "List-Unsubscribe=One-Click", "X-Bad": ATTACK},
    )
    request["content"][0]["value"] = ATTACK
    request["personalizations"][0]["custom_args"]["nl_bad"] = ATTACK
    client.send(request)
    sandbox.flush()
    return sandbox.messages()[0]["id"]


def test_an_empty_inbox_says_so(sandbox: Sandbox, client: SendGridAPIClient) -> None:
    assert "No letters yet" in page(sandbox, "/")[1]


def test_letters_are_found_by_part_of_an_address(
    sandbox: Sandbox, client: SendGridAPIClient, message: Make
) -> None:
    client.send(message(40))
    first = page(sandbox, "/inbox")[1]
    assert "1–30 of 40" in first
    assert "offset=30" in first
    assert "31–40 of 40" in page(sandbox, "/inbox?offset=30")[1]
    found = page(sandbox, "/inbox?search=ADER7@")[1]
    assert "reader7@example.com" in found
    assert "reader17@" not in found
    assert "No letter to" in page(sandbox, "/inbox?search=nobody%25")[1]


@pytest.mark.parametrize("tab", ["html", "text", "headers", "json", "events", "unknown"])
def test_no_tab_lets_a_letter_break_out(sandbox: Sandbox, number: int, tab: str) -> None:
    policy, text = page(sandbox, f"/inbox/{number}?tab={tab}")
    assert ATTACK not in text
    assert "&lt;script&gt;" in text
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_the_html_stands_alone_in_a_sandbox(sandbox: Sandbox, number: int) -> None:
    policy, text = page(sandbox, f"/inbox/{number}/letter.html")
    assert policy.startswith("sandbox ")
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert '<head><base target="_blank"></head>' in text
    assert "Good morning, Reader 0." in text
    assert 'sandbox="allow-popups' in page(sandbox, f"/inbox/{number}?width=phone")[1]


def test_one_click_unsubscribing_is_offered_as_mail_clients_do(
    sandbox: Sandbox, client: SendGridAPIClient, message: Make, number: int
) -> None:
    assert 'action="https://news.example.com/leave/0"' in page(sandbox, f"/inbox/{number}")[1]
    client.send(message())  # its header has no List-Unsubscribe-Post beside it
    newest = sandbox.messages()[0]["id"]
    assert "one-click" not in page(sandbox, f"/inbox/{newest}")[1]


def test_the_style_sheet_comes_along(sandbox: Sandbox) -> None:
    assert "prefers-color-scheme: dark" in page(sandbox, "/inbox/style.css")[1]


def test_every_option_survives_the_command_line() -> None:
    config = SandboxConfig(
        data=Path("somewhere"),
        host="127.0.0.2",
        port=8025,
        keys=("SG.a", "-b"),
        max_body=1,
        bad_address="-.*@x",
        sink=True,
        issue_arg="edition",
        installation_arg="copy",
        webhook_url="http://127.0.0.1:1/hook",
        events=False,
        shares=Shares(bounce=0.5, open=0),
        max_events=5,
        duplicates=0.25,
        shuffle=True,
        logs=False,
        logs_per_minute=6,
        logs_delay=1.5,
        account=Path("account.json"),
        seed=9,
    )
    default = SandboxConfig(data=Path("somewhere"))
    same = [f for f in vars(config) if getattr(config, f) == getattr(default, f)]
    assert same == ["data"]  # so that a forgotten option cannot hide
    assert CONFIG_JSON.validate_json(CONFIG_JSON.dump_json(config)) == config
    assert CONFIG_JSON.validate_json('{"data": "somewhere"}') == default


def test_an_unknown_share_is_refused() -> None:
    with pytest.raises(ValueError, match="rain"):
        CONFIG_JSON.validate_json('{"data": "x", "shares": {"rain": 1}}')
