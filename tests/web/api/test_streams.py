"""Streams are few at a time, and whoever takes nothing of one is given up."""

import inspect
from collections.abc import Generator
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
from starlette.types import Message

from newsletter.web.api import streams
from newsletter.web.api.streams import LineStream, StreamPlaces


def asked(places: StreamPlaces) -> dict[str, Any]:
    app = SimpleNamespace(state=SimpleNamespace(stream_places=places))
    return {"type": "http", "app": app, "state": {"request_id": "1"}, "asgi": {}}


async def silent() -> Message:
    await anyio.sleep_forever()
    raise AssertionError


def blocks(ended: list[str]) -> Generator[bytes]:
    try:
        while True:
            yield b"{}\n"
    finally:
        ended.append("closed")


def always() -> bool:
    return True


def test_whoever_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(streams, "STALLED_AFTER", 0.02)
    sent, ended, places = list[Message](), list[str](), StreamPlaces(1)

    async def send(message: Message) -> None:
        sent.append(message)
        if message["type"] == "http.response.body":
            await anyio.sleep_forever()

    async def ask() -> None:
        with anyio.fail_after(20):
            await LineStream(blocks(ended), always)(asked(places), silent, send)

    anyio.run(ask)
    assert [one.get("more_body") for one in sent] == [None, True]  # not whole: no last part
    assert (ended, places.take()) == (["closed"], True)


def test_a_stream_ends_soon_after_its_token_was_revoked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(streams, "ADMITTED_FOR", 0)
    sent, ended, places = list[Message](), list[str](), StreamPlaces(1)
    good = iter([True, True])

    async def send(message: Message) -> None:
        sent.append(message)

    async def ask() -> None:
        with anyio.fail_after(20):
            await LineStream(blocks(ended), lambda: next(good, False))(asked(places), silent, send)

    anyio.run(ask)
    assert [one.get("more_body") for one in sent] == [None, True, True]  # not whole: no last part
    assert (ended, places.take()) == (["closed"], True)


def test_one_too_many_is_refused_and_asks_the_database_nothing():
    sent, places = list[Message](), StreamPlaces(1)
    places.take()

    async def send(message: Message) -> None:
        sent.append(message)

    with closing(blocks([])) as never:
        anyio.run(LineStream(never, always), asked(places), silent, send)
        assert inspect.getgeneratorstate(never) == inspect.GEN_CREATED
    assert sent[0]["status"] == 429
    assert dict(sent[0]["headers"])[b"retry-after"] == b"30"
