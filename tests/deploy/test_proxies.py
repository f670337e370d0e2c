"""The recipes of nginx and Caddy, before a real `newsletter serve`, by https."""

import os
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest

from newsletter.settings import shipped
from newsletter.settings.new_folder import NewInstallation, write_folder
from newsletter.web.console.policy import HEADERS
from subscribers.model import Purpose
from subscribers.tokens import make_token
from tests.certificates import CertificateAuthority
from tests.container import open_container
from tests.databases import fresh_database, opened
from tests.ports import free_port
from tests.programs import program
from tests.signing import Seal, body_of

pytestmark = pytest.mark.postgres

DEPLOY = shipped("config") / "deploy"
NEWS, CONSOLE = "news.example.com", "console.example.com"
CLIENT = "127.0.0.7"  #: this machine, too, but not the address of the proxy
MEGABYTE = 1024 * 1024


@dataclass
class Served:
    """A service that runs behind a proxy."""

    folder: Path
    database_url: str
    seal: Seal
    https: int  #: ports
    http: int
    pages: int
    console: int

    def ask(self, host: str, method: str, path: str, **more) -> httpx.Response:
        """Send a request by https to the proxy, whose certificate must be the host's."""
        transport = httpx.HTTPTransport(
            verify=ssl.create_default_context(cafile=self.folder / "authority.pem"),
            local_address=CLIENT,
        )
        with httpx.Client(transport=transport, timeout=30) as client:
            headers = {"Host": f"{host}:{self.https}"} | more.pop("headers", {})
            url = f"https://127.0.0.1:{self.https}{path}"
            sni = {"sni_hostname": host}
            return client.request(method, url, headers=headers, extensions=sni, **more)

    def query(self, statement: str) -> list[tuple]:
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(statement).fetchall()


@contextmanager
def running(command: list, ready: Callable[[], bool], **more) -> Iterator[None]:
    """Run a program, from when it is ready."""
    process = subprocess.Popen(command, **more)
    try:
        deadline = time.monotonic() + 90
        while not ready():
            assert process.poll() is None, "it ended"
            assert time.monotonic() < deadline, "it does not begin"
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(30)


def answers(port: int) -> Callable[[], bool]:
    def answered() -> bool:
        try:
            httpx.get(f"http://127.0.0.1:{port}/healthz")
        except httpx.TransportError:
            return False
        return True

    return answered


@pytest.fixture(scope="module")
def served(
    postgres: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """The service as `newsletter init` sets it up, with a reader."""
    folder, seal = tmp_path_factory.mktemp("proxied"), Seal()
    authority = CertificateAuthority(folder)
    for host in (NEWS, CONSOLE):
        authority.issue(host)
    with fresh_database(postgres, template_database) as url:
        one = Served(folder, url, seal, *(free_port() for _ in range(4)))
        environment = configure(one)
        with opened(url) as engine:
            open_container(engine).subscribe(folder, {"reader@example.org": ""})
        command = [sys.executable, "-m", "newsletter", "serve"]
        log = (folder / "serve.log").open("wb")
        with (
            log,
            running(command, answers(one.pages), env=environment, stdout=log, stderr=log),
        ):
            yield one


def configure(one: Served) -> dict[str, str]:
    """Write the settings by `newsletter init`, and return the environment."""
    config = one.folder / "config"
    write_folder(
        config,
        NewInstallation(
            slug="technology",
            name="Technology",
            pillar="Technology",
            tagline="A test",
            zone="UTC",
            public_url=f"https://{NEWS}:{one.https}",
            console_url=f"https://{CONSOLE}:{one.https}",
        ),
    )
    service = config / "service.toml"
    text = service.read_text().replace("port = 8080", f"port = {one.pages}")
    service.write_text(text.replace("console_port = 8081", f"console_port = {one.console}"))
    return os.environ | {
        "NEWSLETTER_CONFIG": str(config),
        "NEWSLETTER_DATABASE_URL": one.database_url,
        "NEWSLETTER_SENDGRID_HOST": "http://127.0.0.1:9",
        "SENDGRID_API_KEY": "SG.test",
        "SENDGRID_WEBHOOK_KEY": one.seal.public_key,
        "NEWSLETTER_METRICS_TOKEN": "operators-only",
    }


@contextmanager
def nginx(one: Served) -> Iterator[None]:
    binary, folder = program("nginx", "nginx-light"), one.folder
    recipe = with_ports(one, (DEPLOY / "nginx/newsletter.conf").read_text())
    recipe = recipe.replace("/etc/ssl/newsletter", str(folder)).replace(
        "/var/log/nginx", str(folder)
    )
    recipe = re.sub(r" *listen \[::\].*\n", "", recipe)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    user = "user root;\n" if not os.getuid() else ""
    (folder / "newsletter.conf").write_text(recipe)
    (folder / "nginx.conf").write_text(
        f"{user}daemon off; pid {folder}/nginx.pid;\nerror_log stderr;\nworker_processes 1;\n"
        f"events {{}}\nhttp {{ {temporary} include {folder}/newsletter.conf; }}\n"
    )
    command = [binary, "-p", folder, "-c", folder / "nginx.conf"]
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert (tested.returncode, "[warn]" in tested.stderr) == (0, False), tested.stderr
    with running(command, answers(one.http)):
        yield


@contextmanager
def caddy(one: Served) -> Iterator[None]:
    binary, folder = program("caddy", "caddy"), one.folder
    recipe = with_ports(one, (DEPLOY / "caddy/Caddyfile").read_text())
    for host in (NEWS, CONSOLE):  # the test's certificates: none is to be had from elsewhere
        own = f"{host}:{one.https} {{\n\ttls {folder}/{host}.pem {folder}/{host}.key\n"
        recipe = recipe.replace(f"{host} {{\n", own)
    ours = f"{{\n\tadmin off\n\thttp_port {one.http}\n\thttps_port {one.https}\n}}\n"
    (folder / "Caddyfile").write_text(ours + recipe)
    home = os.environ | {"HOME": str(folder), "XDG_DATA_HOME": str(folder / "data")}
    command = [binary, "run", "--adapter", "caddyfile", "--config", folder / "Caddyfile"]
    log = (folder / "caddy.log").open("wb")
    with log, running(command, answers(one.http), env=home, stdout=log, stderr=log):
        yield


def with_ports(one: Served, recipe: str) -> str:
    ports = {"listen 80;": f"listen {one.http};", "listen 443 ": f"listen {one.https} "}
    ports |= {":8080": f":{one.pages}", ":8081": f":{one.console}"}
    for old, new in ports.items():
        recipe = recipe.replace(old, new)
    return recipe


@pytest.fixture(scope="module", params=[nginx, caddy], ids=["nginx", "caddy"])
def site(request: pytest.FixtureRequest, served: Served) -> Iterator[Served]:
    """The service behind each of the proxies."""
    with request.param(served):
        yield served


def one_click(site: Served) -> str:
    [(number, key)] = site.query("SELECT id, link_key FROM subscription")
    return f"/u/{make_token(Purpose.UNSUBSCRIBE, number, bytes(key))}"


def test_one_click_acts_and_is_not_redirected(site: Served):
    path = one_click(site)

    said = site.ask(NEWS, "POST", path, content="List-Unsubscribe=One-Click")

    assert (said.status_code, said.history) == (200, [])
    assert site.query("SELECT status FROM subscription") == [("ended",)]
    token = path.removeprefix("/u/")
    assert not [
        file.name
        for file in site.folder.glob("*.log")
        if file.name != "serve.log" and token in file.read_text()
    ]


def test_http_leads_to_https_at_the_same_path(site: Served):
    url = f"http://127.0.0.1:{site.http}/technology/subscribe"
    found = httpx.get(url, headers={"Host": NEWS})
    assert found.status_code == 308
    assert re.fullmatch(rf"https://{NEWS}(:\d+)?/technology/subscribe", found.headers["location"])


def test_the_client_is_known_and_what_it_forged_is_not_believed(site: Served):
    forged = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    posted = {"email": "new@example.org"}
    path = "/technology/subscribe.json"
    assert site.ask(NEWS, "POST", path, json=posted, headers=forged).status_code == 202
    [(ip,)] = site.query("SELECT evidence #>> '{requests,-1,ip}' FROM signup")
    assert ip == CLIENT

    own = {"Origin": f"https://{CONSOLE}:{site.https}"}
    form = {"email": "staff@example.org", "password": "a wrong guess of one"}
    answer = site.ask(CONSOLE, "POST", "/sign-in/password", data=form, headers=forged | own)
    assert answer.status_code == 422
    assert site.query("SELECT DISTINCT network FROM sign_in_attempt") == [("127.0.0.0/24",)]


def test_events_and_large_mails_come_through_and_large_forms_do_not(site: Served):
    body = body_of({"event": "open", "padding": "x" * 4 * MEGABYTE})
    signed = site.ask(
        NEWS, "POST", "/webhooks/sendgrid", content=body, headers=site.seal.headers(body)
    )
    assert signed.status_code == 204

    large = b"x" * 40 * MEGABYTE
    refused = site.ask(NEWS, "POST", "/webhooks/sendgrid", content=large[: 9 * MEGABYTE])
    assert refused.status_code == 413  # our own limit
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    many = {"content": large[:MEGABYTE], "headers": form}
    page = site.ask(NEWS, "POST", "/technology/subscribe", **many)
    assert page.status_code == 413
    form["Origin"] = f"https://{CONSOLE}:{site.https}"
    console = site.ask(CONSOLE, "POST", "/sign-in/password", **many)
    assert console.status_code == 413


def test_the_consoles_headers_arrive_as_they_were_sent(site: Served):
    page = site.ask(CONSOLE, "GET", "/sign-in")

    assert page.status_code == 200
    assert {name: page.headers.get_list(name) for name in HEADERS} == {
        name: [value] for name, value in HEADERS.items()
    }
    assert page.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
def test_figures_are_for_this_machine_only(site: Served, path: str):
    own = {"Authorization": "Bearer operators-only"}
    assert site.ask(NEWS, "GET", path, headers=own).status_code == 404
    here = httpx.get(f"http://127.0.0.1:{site.pages}{path}", headers=own)
    assert here.status_code == 200
