"""Looks at every call of the vendor's client to the stand-in, while SENDGRID_OPENAPI is set."""

from collections.abc import Iterator
from typing import Any

import pytest
from python_http_client import client as vendor
from python_http_client.exceptions import HTTPError

from tests.openapi import Contract, call_of, contract

_ours = "sandbox"  #: what the stand-in calls itself; a canned server says nothing


@pytest.fixture(scope="session")
def openapi() -> Contract | None:
    return contract()


@pytest.fixture(autouse=True)
def held_to_openapi(
    openapi: Contract | None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Contract | None]:
    """Fail a test in which a call, or its answer, is not as SendGrid's own files say."""
    if openapi is None:
        yield None
        return
    make_request: Any = vendor.Client._make_request

    def looked_at(self: Any, opener: Any, request: Any, timeout: Any = None) -> Any:
        try:
            response = make_request(self, opener, request, timeout=timeout)
        except HTTPError as error:
            _look(openapi, request, error.status_code, error.headers, error.body)
            raise
        read = _Read(response)
        _look(openapi, request, read.getcode(), read.info(), read.read())
        return read

    monkeypatch.setattr(vendor.Client, "_make_request", looked_at)
    openapi.faults.clear()
    yield openapi
    assert openapi.faults == []


def _look(openapi: Contract, request: Any, status: int, headers: Any, answer: bytes) -> None:
    if str((headers or {}).get("Server") or "").startswith(_ours):
        openapi.look(call_of(request, status, answer))


class _Read:
    """A response whose body was read already."""

    def __init__(self, response: Any) -> None:
        self._response, self._body = response, response.read()

    def getcode(self) -> int:
        return self._response.getcode()

    def read(self) -> bytes:
        return self._body

    def info(self) -> Any:
        return self._response.info()
