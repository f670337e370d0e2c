"""Behind a proxy: whose word counts about where a request comes from."""

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import httpx
import pytest
from fastapi import FastAPI, Request

from newsletter.web.beside import server_of, serving_beside
from newsletter.web.console.access import network_address
from newsletter.web.public.signup import ip_of

Ask = Callable[[Sequence[str], dict[str, str]], list[str]]


@pytest.fixture
def ask() -> Iterator[Ask]:
    app = FastAPI()

    @app.get("/")
    def where(request: Request) -> list[str]:
        assert ip_of(request) == network_address(request)
        return [ip_of(request), request.url.scheme]

    with ExitStack() as parts:

        def asked(trusted: Sequence[str], headers: dict[str, str]) -> list[str]:
            listener = parts.enter_context(socket.create_server(("127.0.0.1", 0)))
            parts.enter_context(serving_beside(server_of(app, trusted_proxies=trusted), listener))
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
            return httpx.get(url, headers=headers).json()

        yield asked


def forwarded(*addresses: str) -> dict[str, str]:
    return {"X-Forwarded-For": ", ".join(addresses), "X-Forwarded-Proto": "https"}


@pytest.mark.parametrize("trusted", [(), ("192.0.2.7",)])
def test_nobody_is_believed_who_is_not_named(
    trusted: Sequence[str], ask: Ask, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")  # uvicorn's own variable
    assert ask(trusted, forwarded("203.0.113.9")) == ["127.0.0.1", "http"]


def test_the_named_proxy_is_believed_and_what_its_client_forged_is_not(ask: Ask):
    trusted = ("127.0.0.0/8", "198.51.100.0/24")
    assert ask(trusted, forwarded("203.0.113.9")) == ["203.0.113.9", "https"]
    through_two = forwarded("127.0.0.1", "192.0.2.1", "203.0.113.9", "198.51.100.4")
    assert ask(trusted, through_two) == ["203.0.113.9", "https"]
    assert ask(trusted, {}) == ["127.0.0.1", "http"]


def test_an_address_of_version_6_counts_as_well(ask: Ask):
    assert ask(("127.0.0.1",), forwarded("2001:db8::7")) == ["2001:db8::7", "https"]
