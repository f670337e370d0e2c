"""Whatever strangers post to the public forms: no fault, and no letter more than is allowed."""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from tests.web.conftest import Client, choices_path, leave_path
from tests.web.signup.helpers import PAGE, READER, SignUpContainer, form_token_in

pytestmark = pytest.mark.postgres

FORM = "application/x-www-form-urlencoded"
VICTIM = "victim@example.net"

#: Bodies that no browser would send, and the type that they claim.
BODIES = [
    (b"", FORM),
    (b"&&&===", FORM),
    (b"email=%00&topic=%00&name=%00&zone=%00&until=%00&frequency=%00&reason=%00&words=%00", FORM),
    (b"email=%ff%fe&topic=%ed%a0%80", FORM),
    (b"email=a%40example.com%0d%0aBcc:%20victim%40example.net&form=embed", FORM),
    (b"email=a%40example.com,victim%40example.net&form=embed", FORM),
    (b"email=%22a%22%20%3Cvictim%40example.net%3E&form=embed", FORM),
    ("email=a@example.com&form=embed&topic=\u202e\u4e2d&topic=*&timezone=../..".encode(), FORM),
    (b"topic=chips&" * 5000, FORM),
    (b"x=1&" * 10_000, FORM),
    (b'{"email": ["victim@example.net"], "topics": 3}', "application/json"),
    (b"email=victim@example.net", "text/plain"),
    (b"--b\r\n\r\n\r\n--b--", "multipart/form-data; boundary=b"),
    (b"email=x", "multipart/form-data"),
    (b'--b\r\nContent-Disposition: form-data; name="email"; filename="x"\r\n\r\nv\r\n--b--\r\n',
     "multipart/form-data; boundary=b"),
    (b"email=x", "application/x-www-form-urlencoded; charset=utf-7"),
    (b"email=x", "\x7f"),
]  # fmt: skip


@pytest.fixture
def paths(container: SignUpContainer, tmp_path: Path) -> list[str]:
    container.subscribe(tmp_path, {READER: "chips"})
    reader = container.subscription()
    own, leave = choices_path(reader), leave_path(reader)
    buttons = [f"{own}/{one}" for one in ("pause", "unpause", "address")]
    return [own, *buttons, f"{leave}/reason", PAGE, f"{PAGE}/again", f"{PAGE}.json", "/new-link"]


def test_no_body_however_odd_makes_a_fault_or_a_letter(
    client: Client, container: SignUpContainer, paths: list[str]
):
    for path, (content, kind) in product(paths, BODIES):
        answer = client.post(path, content=content, headers={"Content-Type": kind})
        assert answer.status_code < 500, (path, content[:60], kind)
    container.transactional.send_waiting()
    assert VICTIM not in {one["to"] for one in container.sandbox.messages()}


def test_no_way_of_asking_makes_a_fault(client: Client, paths: list[str]):
    odd: list[Callable[[str], str]] = [
        lambda path: path,
        lambda path: path + "/",
        lambda path: path + "?email=a&email=b&topic[]=x&%00=%00&token=x",
        lambda path: path.upper(),
        lambda path: path + "%00",
        lambda path: path + "/" + "x" * 20_000,
        lambda path: "//" + path,
        lambda path: path + ";a=b",
    ]
    public = ["/", "/technology", "/technology/feed.xml", "/robots.txt", "/sitemap.xml"]
    methods = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "PROPFIND")
    for path, change, method in product([*public, *paths], odd, methods):
        answer = client.ask(method, change(path))
        assert answer.status_code < 500, (method, change(path)[:80])
        if answer.is_redirect:
            assert answer.headers["Location"].startswith(("/technology", "/c/", "/u/"))


def test_a_double_press_is_one_letter(client: Client, container: SignUpContainer):
    token = form_token_in(client.get(PAGE).text)
    container.clock.pass_time(seconds=5)
    sheet = {"email": VICTIM, "topic": "chips", "form_token": token}
    for _ in range(3):
        assert client.post(PAGE, data=sheet).status_code == 200
    assert len(container.deliver(VICTIM)) == 1


def test_repeated_fields_name_one_address(client: Client, container: SignUpContainer):
    content = b"form=embed&email=first%40example.com&email=victim%40example.net"
    client.post(PAGE, content=content, headers={"Content-Type": FORM})
    container.transactional.send_waiting()
    assert len(container.sandbox.messages()) <= 1


def test_a_program_gets_its_errors_as_json_and_a_browser_as_a_page(client: Client):
    for status, method, path in (
        (404, "GET", "/nothing"),
        (404, "GET", "/u/x"),
        (405, "DELETE", "/technology"),
        (404, "GET", "/technology/not-a-date"),
    ):
        program = client.ask(method, path, headers={"Accept": "application/json"})
        assert program.status_code == status
        assert program.json()["errors"]["request"]
        browser = client.ask(method, path, headers={"Accept": "text/html,application/json"})
        assert browser.status_code == status
        assert "<h1>" in browser.text
    large = client.post(PAGE, content=b"email=" + b"x" * 70_000, headers={"Content-Type": FORM})
    assert (large.status_code, "That was too long." in large.text) == (413, True)
    broken = client.post(PAGE, content=b"email=x", headers={"Content-Type": "multipart/form-data"})
    assert (broken.status_code, "We could not read that." in broken.text) == (400, True)
