"""A day at the command line: real processes, real PostgreSQL, real HTTP to the sandbox."""

import email
import email.policy
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from newsletter.core.mailing import as_received
from newsletter.sandbox.server import Sandbox, SandboxConfig
from tests.cli.conftest import READER, CommandLine

pytestmark = pytest.mark.postgres

PAGE = Path(__file__).parents[1] / "adapters" / "sources" / "pages" / "technology-brief.txt"
NEWSLETTER = Path(sys.executable).with_name("newsletter")
_nobody_between = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(*arguments: str, code: int = 0) -> str:
    """Run the console script; return what it said."""
    done = subprocess.run(
        [NEWSLETTER, *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (code, ""), done
    return done.stdout


def run_json(*arguments: str) -> Any:
    return json.loads(call(*arguments, "--json"))


@contextmanager
def running(*arguments: str, end: int) -> Iterator[str]:
    """Run a service; yield its first line, end it by a signal, and check that it ends well."""
    command = [NEWSLETTER, *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            yield process.stdout.readline()
        finally:
            process.send_signal(end)
            _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        log = [json.loads(line) for line in err.splitlines()]  # a service's log, for machines
        assert [line for line in log if line["level"] != "info"] == []
        assert "@" not in err


def until(happened: Callable[[], bool]) -> None:
    """Ask again and again, for half a minute; each question takes its time."""
    patience = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < patience


def get(url: str) -> str:
    with _nobody_between.open(url, timeout=30) as reply:
        return str(reply.read().decode())


def test_a_saved_page_becomes_a_letter_and_nobody_gets_it_twice(
    cli: CommandLine, sandbox: Sandbox
) -> None:
    cli.environment(NEWSLETTER_SENDGRID_HOST=sandbox.url, SENDGRID_API_KEY="SG.right")

    held = run_json("briefs", "add", str(PAGE))["received"][0]
    assert (held["ruling"], held["reasons"]) == (
        "held",
        ["There is no link to the source; add the address where the story can be read."],
    )
    source = "https://wire.example.org/open-source-ai"
    freed = cli.done("briefs", "edit", str(held["id"]), "--source-url", source)
    assert freed["ruling"] == "accepted"
    assert "robotics" not in freed["topics"]
    chosen = freed["topics"][0]
    cli.subscribe(f"{READER},,{chosen},", "all@example.com,,,", "robots@example.com,,robotics,")

    assert cli.done("issue", "assemble")["state"] == "approved"
    cli.done("issue", "preview", "--for", READER, "--out", str(cli.folder / "proof"))
    sent = run_json("issue", "send", "--wait")
    assert sent["state"] == "sent"
    assert sent["account"]["adds_up"]
    sums = sent["account"]["sums"]
    assert (sums["audience"], sums["deliveries"], sums["accepted"]) == (3, 2, 2)
    assert sent["account"]["exclusions"] == {"no_story": 1}
    assert cli.done("issue", "status")["account"] == sent["account"]
    [received] = sandbox.messages(to=READER)
    assert_the_same_letter(cli.folder / "proof", sandbox.message(received["id"]))

    requests = sandbox.stats()["requests"]
    assert "so nothing is sent again" in cli.run("issue", "send", "--wait").out
    assert sandbox.stats()["requests"] == requests


def assert_the_same_letter(proof: Path, received: dict[str, Any]) -> None:
    """Compare the three files of a preview with what the sandbox filled in."""
    html = as_received(received["html"])
    assert (proof / "letter.html").read_bytes() == html.encode()
    assert (proof / "letter.txt").read_bytes() == received["text"].encode()
    eml = email.message_from_bytes((proof / "letter.eml").read_bytes(), policy=email.policy.default)
    for kind in ("html", "plain"):
        body = eml.get_body((kind,))
        assert body
        said = html if kind == "html" else received["text"]
        assert body.get_content().splitlines() == said.splitlines()  # mail ends lines its own way
    assert eml["subject"] == received["subject"]
    assert (eml["to"], eml["from"]) == (received["to"], received["sender"])
    assert {name: eml[name] for name in received["headers"]} == received["headers"]


def test_why_has_an_answer_for_everybody(sending_cli: CommandLine) -> None:
    cli = sending_cli
    assert "no issue of" in cli.done("why", READER)["answer"]
    cli.done("issue", "assemble")
    assert "is approved; who gets it is not planned yet" in cli.done("why", READER)["answer"]
    cli.done("issue", "send", "--wait")
    cli.subscribe("late@example.com,,chips,")
    answers = {
        READER: "SendGrid accepted it.",
        READER.upper(): "SendGrid accepted it.",
        "robots@example.com": "nothing in the issue was about the topics they chose",
        "late@example.com": "came after the issue",
        "stranger@example.com": "no subscription to Technology Daily",
    }
    for address, words in answers.items():
        assert words in cli.done("why", address)["answer"], address
        assert words in cli.run("why", address).out
    record = cli.done("why", READER)["delivery"]
    assert (record["brief_ids"], record["batch_state"]) == ([1], "accepted")
    assert "link_key" not in cli.run("why", READER, "--json").out


def test_a_second_file_is_a_second_newsletter(sending_cli: CommandLine, sandbox: Sandbox) -> None:
    cli = sending_cli
    text = cli.newsletter.read_text()
    cars = text.replace('"Technology Daily"', '"Car Weekly"').replace('"Technology"', '"Cars"')
    (cli.newsletter.parent / "cars.toml").write_text(cars)
    assert "choose one: --newsletter cars | technology" in cli.refused("issue", "assemble")

    cli.add_brief(
        title="A car that parks itself in the rain",
        pillar="Cars",
        source_url="https://example.org/car",
    )
    cli.subscribe(f"{READER},,,", newsletter="cars")
    for slug in ("technology", "cars"):
        sent = cli.done("issue", "send", "--wait", "--newsletter", slug)
        assert (sent["state"], sent["number"], sent["account"]["sums"]["accepted"]) == (
            "sent",
            1,
            1,
        )
    assert [m["subject"] for m in sandbox.messages(to=READER)] == [
        "A car that parks itself in the rain",
        "A foundry halves the water it needs for a wafer",
    ]


def test_strangers_brackets_are_printed_as_they_stand(sending_cli: CommandLine) -> None:
    title = "Chips [/] with [bold] brackets [red]everywhere[/red]"
    cli = sending_cli
    cli.done("briefs", "edit", "1", "--title", title)
    for verb in (["briefs", "show", "1"], ["briefs", "list"], ["briefs", "hold", "1"],
                 ["briefs", "accept", "1"], ["issue", "assemble"], ["issue", "preview"],
                 ["issue", "send", "--wait"]):  # fmt: skip
        said = cli.run(*verb)
        assert said.code == 0, said
        assert title in said.out


def test_a_hold_keeps_a_brief_out_until_it_is_accepted(sending_cli: CommandLine) -> None:
    cli = sending_cli
    assert cli.done("briefs", "hold", "1")["ruling"] == "held"
    assert cli.done("issue", "assemble")["state"] == "empty"
    assert cli.done("briefs", "accept", "1")["ruling"] == "accepted"
    assert cli.done("issue", "assemble")["state"] == "approved"


def test_check_says_what_is_missing_and_then_that_letters_can_be_sent(
    cli: CommandLine, sandbox: Sandbox
) -> None:
    said = cli.run("check")
    assert said.code == 1
    assert "✗ key       SENDGRID_API_KEY is not set" in said.out
    cli.environment(NEWSLETTER_SENDGRID_HOST=sandbox.url, SENDGRID_API_KEY="SG.right")
    said = cli.run("check")
    assert said.code == 0
    assert said.out.endswith("Letters can be sent.\n")
    assert "serve` needs up to 49 connections, each further worker 18" in said.out
    assert cli.database_url.rpartition("/")[2] in said.out


def test_check_names_a_webhook_key_that_is_none(sending_cli: CommandLine) -> None:
    for junk, words in (("junk", "is not a public key"), (" , ", "holds no public key")):
        sending_cli.environment(SENDGRID_WEBHOOK_KEY=junk)
        said = sending_cli.run("check")
        assert said.code == 1
        assert f"SENDGRID_WEBHOOK_KEY {words}" in " ".join(said.out.split())
        assert "Letters can be sent" not in said.out


def test_check_names_a_paused_issue_and_what_continues_it(sending_cli: CommandLine) -> None:
    sending_cli.done("issue", "send")
    sending_cli.done("issue", "pause", "--because", "a wrong headline")
    said = sending_cli.run("check")
    assert said.code == 1
    assert "✗ paused" in said.out
    assert "a wrong headline; `newsletter issue resume" in " ".join(said.out.split())
    assert "Letters can be sent" not in said.out

    sending_cli.done("issue", "resume")
    assert sending_cli.run("check").code == 0


def test_a_worker_sends_what_another_process_planned_and_ends_when_asked(
    sending_cli: CommandLine, sandbox: Sandbox
) -> None:
    with running("worker", end=signal.SIGTERM) as line:
        assert "worker running" in line
        said = sending_cli.run("issue", "send")
        assert said.code == 0
        until(lambda: sending_cli.done("issue", "status")["state"] == "sent")
    assert len(sandbox.messages()) == 1


def test_a_second_send_says_who_sends_already_and_is_no_failure(sending_cli: CommandLine) -> None:
    first = sending_cli.run("issue", "send")
    second = sending_cli.run("issue", "send")

    assert first.code == second.code == 0
    assert "already being sent" not in first.out
    assert "It is already being sent by " in second.out


def test_serve_shows_the_issue_and_ends_when_asked(sending_cli: CommandLine) -> None:
    service = sending_cli.config / "service.toml"
    text = service.read_text().replace("port = 8080", "port = 0")
    service.write_text(text.replace("console_port = 8081", "console_port = 0"))
    with running("serve", end=signal.SIGINT) as line:
        url = line.split()[2].rstrip(",")
        sending_cli.run("issue", "send")
        until(lambda: sending_cli.done("issue", "status")["state"] == "sent")
        on = sending_cli.done("issue", "status")["date"]
        assert "A foundry halves the water" in get(f"{url}/technology/{on}")


def test_serve_gives_up_a_client_that_does_not_finish_its_request(
    sending_cli: CommandLine,
) -> None:
    service = sending_cli.config / "service.toml"
    limit = "port = 0\nheader_seconds = 0.1"
    text = service.read_text().replace("port = 8080", limit)
    service.write_text(text.replace("console_port = 8081", "console_port = 0"))
    with running("serve", end=signal.SIGINT) as line:
        port = int(line.split()[2].rstrip(",").rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=15) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: ")
            assert client.recv(100).startswith(b"HTTP/1.1 408 ")


def test_the_sandbox_says_where_it_is_and_a_taken_port_is_refused(cli: CommandLine) -> None:
    with running(
        "sandbox", "--port", "0", "--data", str(cli.folder / "mail"), end=signal.SIGINT
    ) as line:
        url = line.split()[2].rstrip(",")
        assert "No letters yet" in get(f"{url}/inbox")
        port = url.rpartition(":")[2]
        assert f"cannot listen on 127.0.0.1:{port}" in cli.refused("sandbox", "--port", port)


def test_an_interrupted_send_records_what_is_in_hand(sending_cli: CommandLine) -> None:
    config = SandboxConfig(data=sending_cli.folder / "mail", keys=("SG.right",))
    with Sandbox(config) as provider:
        provider.fail({"kind": "hang", "seconds": 60, "times": 1})
        sending_cli.environment(NEWSLETTER_SENDGRID_HOST=provider.url)
        with subprocess.Popen(
            [NEWSLETTER, "issue", "send", "--wait"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as sending:
            until(lambda: provider.stats()["requests"] == 1)
            sending.send_signal(signal.SIGINT)
            provider.kill()  # now the answer is lost
            out, err = sending.communicate(timeout=60)
    assert (sending.returncode, out, err) == (130, b"", b"")
    sums = sending_cli.done("issue", "status")["account"]["sums"]
    assert (sums["unknown"], sums["to_go"]) == (1, 0)


def test_a_send_with_a_lost_answer_ends_and_says_what_is_awaited(
    sending_cli: CommandLine, sandbox: Sandbox
) -> None:
    awaited = "known whether SendGrid accepted 1 batch whose answer was lost"
    sandbox.fail({"kind": "close_before_read", "times": 1})
    sent = sending_cli.run("issue", "send", "--wait")
    assert sent.code == 1
    assert awaited in " ".join(sent.out.split())
    assert "went wrong: 1 unknown; `newsletter issue status` says more" in sent.err

    for said in (sending_cli.run("issue", "status"), sending_cli.run("issue", "send")):
        shown = " ".join(said.out.split())
        assert "· sending" in shown
        assert awaited in shown
        assert "`newsletter batches list` shows the evidence so far" in shown
        assert "already being sent" not in shown

    status = sending_cli.done("issue", "status")
    assert (status["state"], awaited in status["awaited"]) == ("sending", True)
    [batch] = sending_cli.done("batches", "list")
    accepted = ("--as", "accepted", "--because", "the provider said so")
    sending_cli.done("batches", "resolve", str(batch["batch_id"]), *accepted)
    status = sending_cli.done("issue", "status")
    assert (status["state"], status["awaited"]) == ("sent", None)
