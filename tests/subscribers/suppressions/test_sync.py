"""Taking over SendGrid's own lists: by page, over windows that overlap, and reviving nobody."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.adapters.sendgrid import suppressions
from newsletter.adapters.sendgrid.mailer import open_client
from newsletter.adapters.sendgrid.suppressions import SendGridLists
from newsletter.errors import SendGridUnavailable
from newsletter.sandbox.server import Sandbox, SandboxConfig
from newsletter.services.suppression_sync import OVERLAP
from subscribers.model import SuppressionReason
from tests.subscribers.suppressions.conftest import START, Account, Lists, listed

pytestmark = pytest.mark.postgres

KEY = "SG.a-key"
BOUNCE, COMPLAINT = SuppressionReason.BOUNCE, SuppressionReason.COMPLAINT
INVALID, UNSUBSCRIBE = SuppressionReason.INVALID, SuppressionReason.UNSUBSCRIBE


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(SandboxConfig(data=tmp_path_factory.mktemp("sandbox"), keys=(KEY,))) as running:
        yield running


@pytest.fixture
def vendor(sandbox: Sandbox) -> SendGridLists:
    sandbox.clear()
    sandbox.fail()
    return SendGridLists(api_key=KEY, host=sandbox.url, timeout=30)


def meet(sandbox: Sandbox, outcome: str, count: int = 1) -> None:
    """Send a letter to so many addresses with one outcome, and wait until it has happened."""
    message = {
        "personalizations": [
            {"to": [{"email": f"R{n}+{outcome}@example.com"}]} for n in range(count)
        ],
        "from": {"email": "daily@news.example.com"},
        "subject": "News",
        "content": [{"type": "text/plain", "value": "Good morning."}],
    }
    open_client(KEY, sandbox.url, 5).mail.send.post(request_body=message)
    sandbox.flush()


def test_every_list_is_taken_over_but_the_blocks(account: Account, sandbox, vendor):
    for outcome in ("bounce", "invalid", "spamreport", "unsubscribe", "blocked", "delivered"):
        meet(sandbox, outcome)
    account.container.clock.time = datetime.now(UTC) + timedelta(minutes=1)

    report = account.container.suppression_sync.sync(vendor, by="clock")

    assert {reason: (one.listed, one.new) for reason, one in report.lists.items()} == {
        BOUNCE: (1, 1),
        INVALID: (1, 1),
        COMPLAINT: (1, 1),
        UNSUBSCRIBE: (1, 1),
    }
    found = account.container.subscriptions.suppressions()
    assert {one.email: one.reason for one in found} == {
        "r0+bounce@example.com": BOUNCE,
        "r0+invalid@example.com": INVALID,
        "r0+spamreport@example.com": COMPLAINT,
        "r0+unsubscribe@example.com": UNSUBSCRIBE,
    }
    assert {one.source for one in found} >= {"SendGrid's list of spam reports"}
    assert all(account.container.clock.time - one.since < timedelta(minutes=3) for one in found)


def test_a_long_list_is_read_to_its_last_page(account: Account, sandbox, vendor, monkeypatch):
    monkeypatch.setattr(suppressions, "PAGE", 10)
    account.container.clock.time = datetime.now(UTC) + timedelta(minutes=1)
    for count in (30, 31):
        sandbox.clear()
        meet(sandbox, "bounce", count)
        report = account.container.suppression_sync.sync(vendor, by="clock")
        assert report.lists[BOUNCE].listed == count
    assert len(account.container.subscriptions.suppressions(reason=BOUNCE)) == 31


def test_a_page_is_as_large_as_sendgrid_allows(account: Account, sandbox, vendor):
    meet(sandbox, "bounce", 501)
    account.container.clock.time = datetime.now(UTC) + timedelta(minutes=1)

    assert account.container.suppression_sync.sync(vendor, by="clock").lists[BOUNCE].listed == 501
    assert sandbox.stats()["by_status"].get("400") is None


def test_when_sendgrid_fails_the_next_look_begins_where_this_one_did(account: Account):
    lists = Lists(listed(BOUNCE), listed(COMPLAINT, 1))
    account.decide(readers=2)

    def fail() -> None:
        if len(lists.asked) == 3:  # the third list
            raise SendGridUnavailable

    lists.before_page = fail
    with pytest.raises(SendGridUnavailable):
        account.container.suppression_sync.sync(lists, by="clock")
    assert account.reason(0) is BOUNCE  # what was read stays

    lists.asked.clear()
    lists.before_page = lambda: None
    account.container.suppression_sync.sync(lists, by="clock")
    assert lists.asked[0][0] == datetime.fromtimestamp(0, UTC)
    assert account.reason(1) is COMPLAINT


def test_a_wrong_key_and_a_dead_line_are_reported_in_one_sentence(account: Account, sandbox):
    wrong = SendGridLists(api_key="SG.wrong", host=sandbox.url, timeout=30)
    with pytest.raises(SendGridUnavailable, match="SendGrid answered 401: The provided"):
        account.container.suppression_sync.sync(wrong, by="clock")
    dead = SendGridLists(api_key=KEY, host="http://127.0.0.1:9", timeout=30)
    with pytest.raises(SendGridUnavailable, match="does not answer: ConnectionRefusedError"):
        account.container.suppression_sync.sync(dead, by="clock")


def test_each_look_reaches_back_behind_the_one_before(account: Account):
    lists = Lists()
    account.container.suppression_sync.sync(lists, by="clock")
    account.container.clock.pass_time(days=1)
    account.container.suppression_sync.sync(lists, by="clock")

    began = datetime.fromtimestamp(0, UTC)
    later = account.container.clock.time
    assert lists.asked == [(began, START)] * 4 + [(START - OVERLAP, later)] * 4


def test_a_look_that_meets_the_same_entries_again_changes_nothing(account: Account):
    lists = Lists(listed(BOUNCE), listed(UNSUBSCRIBE), listed(COMPLAINT, 5))
    account.container.suppression_sync.sync(lists, by="clock")
    before = account.rows("SELECT * FROM suppression ORDER BY 1")

    again = account.container.suppression_sync.sync(lists, by="clock")

    assert [one.new for one in again.lists.values()] == [0, 0, 0, 0]
    assert account.rows("SELECT * FROM suppression ORDER BY 1") == before


def test_what_was_lifted_is_not_put_back_by_the_same_entry(account: Account):
    lists = Lists(listed(BOUNCE))
    account.container.suppression_sync.sync(lists, by="clock")
    account.container.clock.pass_time(hours=1)
    account.container.suppression_sync.lift(
        "r0@example.com", because="mailbox is back", by="operator"
    )

    account.container.suppression_sync.sync(lists, by="clock")

    assert account.mailable == ["r0@example.com"]


def test_an_address_that_left_sendgrids_list_stays_on_ours(account: Account):
    account.container.suppression_sync.sync(Lists(listed(COMPLAINT)), by="clock")
    account.container.clock.pass_time(days=1)
    account.container.suppression_sync.sync(Lists(), by="clock")
    assert account.reason() is COMPLAINT
