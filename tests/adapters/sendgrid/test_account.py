"""The account is read over real HTTP from the stand-in, which is held to SendGrid's own files."""

from datetime import timedelta

import pytest

from newsletter.adapters.sendgrid.account import SendGridAccount
from newsletter.core.account import AccountParse, AccountSender
from newsletter.errors import SendGridUnavailable
from newsletter.sandbox.server import Sandbox
from tests.adapters.sendgrid.conftest import KEY, claim_for
from tests.fakes import FakeClock

HOST = "news.example.com"


@pytest.fixture
def account(sandbox: Sandbox, clock: FakeClock) -> SendGridAccount:
    sandbox.set_account()
    return SendGridAccount(api_key=KEY, host=sandbox.url, timeout=30, clock=clock)


def test_an_account_that_nobody_set_up_is_empty(account: SendGridAccount) -> None:
    assert "mail.send" in account.scopes()
    assert account.domains() == account.links() == account.senders() == account.webhooks() == ()
    assert account.parse_hosts() == account.groups() == ()
    assert {one.name for one in account.switches() if one.enabled} == set()
    assert account.credits().remaining == 100_000


def test_what_was_set_up_is_read(account: SendGridAccount, sandbox: Sandbox) -> None:
    inbound = {"hostname": HOST, "url": f"https://{HOST}/webhooks/inbound"}
    sandbox.set_account(
        domains=[{"domain": HOST, "valid": False}],
        links=[{"domain": HOST}],
        senders=[{"from_email": f"daily@{HOST}", "verified": True}],
        webhooks=[{"url": f"https://{HOST}/webhooks/sendgrid", "open": False}],
        parse=[inbound],
        mail_settings={"footer": True},
        tracking_settings={"google_analytics": True},
        groups=["Weekly"],
    )
    [domain], [link], [hook] = account.domains(), account.links(), account.webhooks()
    assert (domain.domain, domain.valid) == (HOST, False)
    assert domain.dkim_hosts == (f"s1._domainkey.{HOST}", f"s2._domainkey.{HOST}")
    assert (link.host, link.valid) == (f"url1.{HOST}", True)
    assert account.senders() == (AccountSender(email=f"daily@{HOST}", verified=True),)
    assert (hook.enabled, hook.public_key) == (True, sandbox.public_key)
    assert "bounce" in hook.events
    assert "open" not in hook.events
    assert account.parse_hosts() == (AccountParse(host=HOST, url=inbound["url"]),)
    assert [one.name for one in account.switches() if one.enabled] == ["footer", "google_analytics"]
    assert account.groups() == ("Weekly",)


def test_an_unsigned_webhook_has_no_key(account: SendGridAccount, sandbox: Sandbox) -> None:
    sandbox.set_account(webhooks=[{"url": "https://x.example/", "signed": False}])
    assert [one.public_key for one in account.webhooks()] == [""]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/v3/whitelabel/domains", 403, "the key may not read it (whitelabel.read)"),
        ("/v3/whitelabel/domains", 429, "SendGrid answered 429"),
    ],
)
def test_what_may_not_be_read_says_which_scope_is_missing(
    account: SendGridAccount, sandbox: Sandbox, path: str, status: int, words: str
) -> None:
    sandbox.set_account(refuse={path: status})
    with pytest.raises(SendGridUnavailable) as raised:
        account.domains()
    assert words in str(raised.value)


def test_a_wrong_key_is_said(sandbox: Sandbox, clock: FakeClock) -> None:
    wrong = SendGridAccount(api_key="SG.wrong", host=sandbox.url, timeout=30, clock=clock)
    with pytest.raises(SendGridUnavailable, match="401"):
        wrong.scopes()


def test_sendgrids_clock_is_read_from_its_answer(
    account: SendGridAccount, sandbox: Sandbox
) -> None:
    first = account.clock()
    sandbox.set_account(date_skew=600)
    second = account.clock()
    assert first
    assert second
    assert timedelta(seconds=590) < second.theirs - first.theirs < timedelta(seconds=660)


def test_a_rehearsal_is_checked_and_delivers_nothing(
    make_mailer, envelope, letter, sandbox
) -> None:
    assert make_mailer().rehearse(envelope, letter, claim_for("reader@example.com")) is None
    assert sandbox.messages() == []
    assert "400" in (make_mailer().rehearse(envelope, letter, claim_for("no address")) or "")
    sandbox.set_account(refuse={"/v3/mail/send": 403})
    refused = make_mailer().rehearse(envelope, letter, claim_for("reader@example.com"))
    sandbox.set_account()
    assert "does not match a verified Sender Identity" in (refused or "")
