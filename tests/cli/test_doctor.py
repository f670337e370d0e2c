"""`newsletter doctor`, with the stand-in as SendGrid, a name server, and the pages behind TLS."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from newsletter.container import Container
from newsletter.core.staff import Grant, LoginName, Permission
from newsletter.sandbox.server import Sandbox, SandboxConfig
from newsletter.settings import load_settings
from tests.certificate import certificate_in
from tests.cli.conftest import CommandLine
from tests.name_server import SILENT, Records, name_server
from tests.ports import free_port

pytestmark = pytest.mark.postgres

HOST, STAFF = "news.acme.test", "ada@acme.test"
KEY = '"v=DKIM1; p=MIGf"'
GO_LIVE = Path(__file__).parents[2] / "docs" / "how-to" / "go-live.md"
#: Where the test differs from the world: SendGrid and the pages are on this machine.
PRACTICE = {("practice", "warn"), ("web host", "fail"), ("alerts", "warn")}


def well_published() -> Records:
    return {
        (HOST, "TXT"): ['"v=spf1 include:sendgrid.net ~all"'],
        (HOST, "MX"): ["10 mx.sendgrid.net."],
        (f"s1._domainkey.{HOST}", "TXT"): [KEY],
        (f"s2._domainkey.{HOST}", "TXT"): [KEY],
        ("_dmarc.acme.test", "TXT"): ['"v=DMARC1; p=reject"'],
    }


@dataclass(frozen=True)
class Installation:
    """A running installation, and what surrounds it."""

    cli: CommandLine
    sandbox: Sandbox
    records: Records
    server: str
    url: str
    container: Container

    def well_set_up(self) -> dict[str, Any]:
        return {
            "domains": [{"domain": HOST}],
            "links": [{"domain": HOST}],
            "webhooks": [{"url": f"{self.url}/webhooks/sendgrid"}],
            "parse": [{"hostname": HOST, "url": f"{self.url}/webhooks/inbound"}],
        }

    def examined(self, *arguments: str) -> tuple[int, dict[tuple[str, str], str]]:
        """Run the doctor; return its exit code, and sentences by subject and grade if not ok."""
        folder = str(self.cli.folder)
        said = self.cli.run(
            "doctor", "--resolver", self.server, "--backups", folder, "--json", *arguments
        )
        found = said.data["findings"]
        assert all(
            one["cure"] or one["area"] == "settings" for one in found if one["grade"] != "ok"
        )
        return said.code, {
            (one["subject"], one["grade"]): one["sentence"] for one in found if one["grade"] != "ok"
        }


@pytest.fixture
def installation(
    cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installation]:
    certificate, url = certificate_in(tmp_path), f"https://127.0.0.1:{free_port()}"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    text = cli.newsletter.read_text().replace("news.example.com", HOST)
    cli.newsletter.write_text(text.replace("1 Example Street, Example City", "1 Long Street, York"))
    service = cli.config / "service.toml"
    service.write_text(
        service.read_text().replace("[web]\n", '[web]\ntrusted_proxies = ["127.0.0.1"]\n')
    )
    relay = f"http://127.0.0.1:{free_port()}"  # the stand-in posts events without TLS
    config = SandboxConfig(data=tmp_path / "sandbox", webhook_url=f"{relay}/webhooks/sendgrid")
    records = well_published()
    with Sandbox(config) as sandbox, name_server(records) as server:
        cli.environment(
            NEWSLETTER_PUBLIC_URL=url,
            NEWSLETTER_SENDGRID_HOST=sandbox.url,
            SENDGRID_API_KEY="SG.right",
            SENDGRID_WEBHOOK_KEY=sandbox.public_key,
        )
        with closing(Container(load_settings())) as container:
            token = container.staff_accounts.invite(
                STAFF, [Grant(permission=Permission.OWN)], by=LoginName("ada")
            )
            container.staff_accounts.accept(token, "Ada")
            served = [
                uvicorn.Config(
                    container.app, port=port_of(url), ssl_certfile=certificate, log_config=None
                ),
                uvicorn.Config(container.app, port=port_of(relay), log_config=None),
            ]
            with Running(*served):
                yield Installation(cli, sandbox, records, server, url, container)


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


class Running:
    """The web servers, each in a thread, for as long as the block lasts."""

    def __init__(self, *configs: uvicorn.Config) -> None:
        self._servers = [uvicorn.Server(one) for one in configs]
        self._threads = [threading.Thread(target=one.run) for one in self._servers]

    def __enter__(self) -> None:
        for one in self._threads:
            one.start()

    def __exit__(self, *_: object) -> None:
        for one in self._servers:
            one.should_exit = True
        for one in self._threads:
            one.join(timeout=20)


def test_an_installation_without_a_fault_is_well_and_nothing_was_sent(
    installation: Installation,
) -> None:
    installation.sandbox.set_account(**installation.well_set_up())
    before = installation.cli.rows()
    code, found = installation.examined()
    assert found.keys() == PRACTICE, found
    assert code == 1  # because of the web host
    assert installation.sandbox.messages() == []
    assert installation.cli.rows() == before


def test_the_console_says_the_same_from_a_thread_of_its_own(installation: Installation) -> None:
    installation.sandbox.set_account(**installation.well_set_up())
    del installation.records[f"s2._domainkey.{HOST}", "TXT"]
    container, folder = installation.container, installation.cli.folder
    look = container.setup_examination(name_servers=[installation.server], backups=folder)
    reports = container.setup_reports = replace(container.setup_reports, examine=look.run)
    assert reports.begin("ada")
    until(lambda: (last := reports.last()) is not None and last.checked_at is not None)
    arguments = ("--resolver", installation.server, "--backups", str(folder), "--json")
    said = installation.cli.run("doctor", *arguments).data["findings"]
    last = reports.last()
    assert last
    shown = [(one.subject, one.grade.name.lower()) for one in last.findings]
    assert shown == [(one["subject"], one["grade"]) for one in said]
    assert ("DKIM", "fail") in shown


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_everything_that_is_wrong_is_named_at_once(installation: Installation) -> None:
    hook = {"url": f"{installation.url}/webhooks/sendgrid", "signed": False, "bounce": False}
    installation.sandbox.set_account(
        scopes=["mail.send", "suppression.read", "teammates.create"],
        domains=[{"domain": HOST, "valid": False}],
        links=[{"domain": HOST, "valid": False}],
        webhooks=[hook | {"processed": False}],
        parse=[{"hostname": HOST, "url": "https://elsewhere.example/"}],
        tracking_settings={"google_analytics": True},
        credits={"remain": 0, "total": 100},
        refuse={"/v3/asm/groups": 403, "/v3/mail/send": 403},
        date_skew=900,
    )
    installation.cli.subscribe("reader@example.com,,chips,")
    records = installation.records
    records[HOST, "TXT"] = ['"v=spf1 +all"']
    records[HOST, "MX"] = SILENT
    del records[f"s2._domainkey.{HOST}", "TXT"]
    del records["_dmarc.acme.test", "TXT"]
    code, found = installation.examined("--seconds", "6")
    assert code == 1
    assert found.keys() - PRACTICE == {
        ("clock", "fail"),
        ("key", "warn"),
        ("sender", "fail"),
        ("links", "warn"),
        ("sandbox mode", "fail"),
        ("webhook", "fail"),
        ("webhook", "warn"),
        ("inbound", "fail"),
        ("account", "warn"),
        ("groups", "unknown"),
        ("credits", "fail"),
        ("SPF", "fail"),
        ("DKIM", "fail"),
        ("DMARC", "fail"),
        ("MX", "unknown"),
    }, found


def test_the_page_shows_what_the_doctor_says_of_its_own_account(
    installation: Installation,
) -> None:
    page = GO_LIVE.read_text()
    written = next(one for one in page.split("```") if '"domains"' in one)
    there = written.replace("http://127.0.0.1:8080", installation.url)
    installation.sandbox.set_account(**installation.well_set_up() | json.loads(there))
    del installation.records[f"s2._domainkey.{HOST}", "TXT"]
    said = installation.cli.run("doctor", "--resolver", installation.server).out.splitlines()
    shown = next(one for one in page.split("```") if one.startswith("\nSendGrid"))
    lines = [line for line in shown.strip().splitlines() if not line.endswith("found out")]
    assert [line for line in lines if line not in said] == []


def test_a_letter_to_staff_proves_the_whole_way(installation: Installation) -> None:
    installation.sandbox.set_account(**installation.well_set_up())
    code, found = installation.examined("--letter-to", STAFF, "--wait", "60")
    assert (code, found.keys()) == (1, PRACTICE)
    [sent] = installation.sandbox.messages(to=STAFF)
    assert sent["subject"].startswith("[Test] ")


def test_only_staff_get_a_letter(installation: Installation) -> None:
    said = installation.cli.run("doctor", "--letter-to", "reader@example.com", "--seconds", "20")
    assert said.code == 2
    assert "only to confirmed addresses of members of staff" in said.err
    assert installation.sandbox.messages() == []


def test_without_a_key_the_rest_is_still_found_out(cli: CommandLine) -> None:
    with name_server({}) as server:
        said = cli.run("doctor", "--resolver", server, "--seconds", "20")
    assert said.code == 1
    assert "SENDGRID_API_KEY is not set" in said.out
    assert "→ make an API key in SendGrid" in said.out
    assert "MX" in said.out
    assert "must be mended" in said.out


def test_without_a_database_the_rest_is_still_found_out(cli: CommandLine, sandbox: Sandbox) -> None:
    cli.environment(
        NEWSLETTER_DATABASE_URL=f"postgresql://nobody@127.0.0.1:{free_port()}/none",
        NEWSLETTER_SENDGRID_HOST=sandbox.url,
        SENDGRID_API_KEY="SG.right",
    )
    with name_server({}) as server:
        said = cli.run("doctor", "--resolver", server, "--seconds", "20", "--json")
    found = {(one["subject"], one["grade"]) for one in said.data["findings"]}
    assert {
        ("PostgreSQL", "fail"),
        ("sandbox mode", "fail"),
        ("key", "ok"),
        ("MX", "fail"),
    } <= found
