"""Whatever is posted, the answer is never that the fault is ours."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.web.conftest import Client
from tests.web.signup.helpers import PAGE, SITE

pytestmark = pytest.mark.postgres

_quickly = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_words = st.text(max_size=40) | st.sampled_from(
    ["reader@example.com", "chips", "embed", "weekly", "\x00", "Etc/UTC", "a@ex\x00mple.com", "é@é"]
)
_fields = st.sampled_from(
    ["email", "name", "topic", "timezone", "frequency", "form", "form_token", "website"]
)
_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | _words | st.sampled_from(["\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_words, inner, max_size=3),
    max_leaves=6,
)


@_quickly
@given(sheet=st.dictionaries(_fields, st.lists(_words, max_size=3) | _words))
@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/again"])
def test_of_the_form(client: Client, path: str, sheet: dict[str, object]):
    assert client.post(path, data=sheet).status_code < 500


@_quickly
@given(
    sheet=st.dictionaries(
        st.sampled_from(["email", "name", "topics", "timezone", "frequency"]) | _words, _anything
    )
    | _anything
)
def test_of_the_endpoint(client: Client, sheet: object):
    body = json.dumps(sheet).encode()
    answer = client.post(f"{PAGE}.json", content=body, headers={"Origin": SITE})
    assert answer.status_code in (202, 422)


@_quickly
@given(
    token=st.text("abcAB0-_", min_size=28, max_size=28) | st.text(max_size=40),
    prefix=st.sampled_from("ca"),
    method=st.sampled_from(["GET", "HEAD", "OPTIONS", "POST", "PUT"]),
)
def test_of_a_link(client: Client, token: str, prefix: str, method: str):
    safe = "".join(f"%{byte:02X}" for byte in token.encode())
    assert client.ask(method, f"/{prefix}/{safe}").status_code < 500
