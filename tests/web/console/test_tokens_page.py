"""API tokens at the console: made by owners, shown once, revoked."""

import re

import pytest

from newsletter.core.api_token import Scope
from tests.container import TestContainer
from tests.web.console.serving import OWN_SLUG, ConsoleClient

pytestmark = pytest.mark.postgres

TOKENS = f"/{OWN_SLUG}/settings/tokens"
TICKED = {"name": "the hub", "scope": ["briefs:read", "briefs:write"], "newsletter": OWN_SLUG}


@pytest.fixture
def owner(members: dict[str, ConsoleClient]) -> ConsoleClient:
    return members["own"]


def test_a_token_is_shown_once_and_does_what_was_ticked(
    owner: ConsoleClient, container: TestContainer
):
    made = owner.post(TOKENS, **TICKED, days="30")
    assert f"{container.settings.console_url}/api/v1." in made.text
    [text] = re.findall(r'value="(nl_[^"]+)"', made.text)
    token = container.api_tokens.find(text)
    assert token
    assert token.scopes == {Scope.BRIEFS_READ, Scope.BRIEFS_WRITE}
    assert (token.newsletters, token.created_by) == ({OWN_SLUG}, "own@example.org")
    assert (token.expires_at - token.created_at).days == 30
    shown = owner.get(TOKENS).text
    assert text not in shown
    assert "the hub" in shown
    assert f"{token.expires_at:%B %Y, }" in shown  # the year, and no seconds
    assert "Read briefs, Hand over and change briefs" in shown
    assert "One program may use the API" in shown
    assert TOKENS in owner.get(f"/{OWN_SLUG}/settings").text


def test_a_revoked_token_is_refused_at_once_and_stays_in_the_list(
    owner: ConsoleClient, container: TestContainer
):
    [text] = re.findall(r'value="(nl_[^"]+)"', owner.post(TOKENS, **TICKED).text)
    [path] = re.findall(r'action="([^"]+/revoke)"', owner.get(TOKENS).text)
    assert owner.post(path, form_key="once").headers["location"] == f"{TOKENS}?said=revoked"
    assert container.api_tokens.find(text) is None
    shown = owner.get(f"{TOKENS}?said=revoked").text
    assert "The token is revoked" in shown
    assert "Expired and revoked" in shown


@pytest.mark.parametrize("without", ["name", "scope", "newsletter"])
def test_what_is_missing_is_said_and_what_was_ticked_stays(
    without: str, owner: ConsoleClient, container: TestContainer
):
    given = {name: value for name, value in TICKED.items() if name != without}
    refused = owner.post(TOKENS, **given)
    assert refused.status_code == 409
    assert "Nothing was changed: " in refused.text
    assert container.api_tokens.listed() == ()
    if without != "name":
        assert 'value="the hub"' in refused.text


def test_making_one_needs_a_fresh_sign_in_and_revoking_does_not(
    owner: ConsoleClient, container: TestContainer
):
    owner.post(TOKENS, **TICKED)
    container.clock.pass_time(minutes=16)
    assert owner.post(TOKENS, **TICKED).status_code != 200
    assert "confirm that it is still you" in owner.get(TOKENS).text
    [path] = re.findall(r'action="([^"]+/revoke)"', owner.get(TOKENS).text)
    owner.post(path, form_key="once")
    [token] = container.api_tokens.listed()
    assert token.revoked_at
