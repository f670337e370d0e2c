"""Apprise's channels, over real HTTP."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.adapters.alerts import open_channels, split_urls
from newsletter.errors import ConfigurationError
from tests.alert_receiver import (
    Receiver,
)


def test_an_alert_arrives_over_http(receiver: Receiver) -> None:
    [channel] = open_channels(receiver.url)
    assert channel.send("technology: paused", "401: the key is wrong") is None
    [posted] = receiver.posted
    assert (posted["title"], posted["message"], posted["type"]) == (
        "technology: paused",
        "401: the key is wrong",
        "warning",
    )


def test_a_receiver_that_fails_or_is_gone_is_a_reason_and_no_error(receiver: Receiver) -> None:
    receiver.status = 500
    channels = open_channels(f"{receiver.url}, json://user:sesame@127.0.0.1:9/nobody")
    [failed, gone] = [channel.send("title", "body") for channel in channels]
    assert "500" in failed
    assert "Connection error" in gone
    assert "sesame" not in gone


def test_no_address_leaves_with_an_alert(receiver: Receiver) -> None:
    [channel] = open_channels(receiver.url)
    channel.send("for reader@example.com", "SG.abc.def was refused for reader@example.com")
    [posted] = receiver.posted
    assert posted["title"] == "for [address]"
    assert posted["message"] == "[key] was refused for [address]"


def test_a_channel_s_name_holds_no_secret() -> None:
    [first, second] = open_channels(
        "json://user:sesame@127.0.0.1/hook, mailto://u:sesame@h.example"
    )
    assert (first.name, second.name) == ("JSON (no. 1)", "E-Mail (no. 2)")


@pytest.mark.parametrize("url", ["nonsense://sesame", "https//sesame", "slack://"])
def test_what_is_no_channel_is_named_by_its_place_and_not_shown(
    url: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConfigurationError, match=r"NEWSLETTER_ALERTS: entry 2 ") as refused:
        open_channels(f"json://127.0.0.1, {url}")
    assert "sesame" not in str(refused.value) + caplog.text + capsys.readouterr().err


URLS = st.from_regex(r"(json|mailtos|slack)://[a-z0-9:@/?=.]{1,30}(,[a-z]{1,5})?", fullmatch=True)


@given(st.lists(URLS), st.sampled_from([" ", ",", ", ", "\n", " ,\n"]))
def test_urls_are_parted_by_spaces_and_commas(urls: list[str], between: str) -> None:
    assert split_urls(between.join(urls)) == urls
    assert split_urls(f" {between.join(urls)}{between}") == urls
