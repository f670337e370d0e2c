"""What an account says of itself is graded, and each fault has a cure."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.core.account import (
    AccountClock,
    AccountCredits,
    AccountDomain,
    AccountLink,
    AccountParse,
    AccountSender,
    AccountSwitch,
    AccountWebhook,
)
from newsletter.core.account_checks import (
    clock_finding,
    credit_finding,
    group_finding,
    link_finding,
    parse_finding,
    scope_findings,
    sender_finding,
    switch_findings,
    webhook_findings,
)
from newsletter.core.publication import Tracking
from newsletter.core.setup_finding import SetupFinding, SetupGrade
from tests.settings import TECHNOLOGY

OK, UNKNOWN, WARN, FAIL = SetupGrade
BASE, HOST = "https://news.example.com", "news.example.com"
EVENTS = frozenset(
    re.findall(
        r"\w+",
        "processed delivered deferred dropped bounce open click spam_report unsubscribe "
        "group_unsubscribe account_status_change",
    )
)
HOOK = AccountWebhook(
    id="1", url=f"{BASE}/webhooks/sendgrid", enabled=True, events=EVENTS, public_key="KEY"
)


def domain(name: str = HOST, *, valid: bool = True) -> AccountDomain:
    return AccountDomain(domain=name, valid=valid, records=(), dkim_hosts=())


def graded(*findings: SetupFinding) -> set[SetupGrade]:
    """Return the grades, once it is sure that each fault has a cure."""
    assert all(one.cure for one in findings if one.grade > UNKNOWN)
    return {one.grade for one in findings}


@pytest.mark.parametrize(
    ("scopes", "grades", "words"),
    [
        ({"mail.send", "suppression.read", "asm.groups.read"}, {OK}, "nothing else"),
        ({"suppression.read"}, {FAIL}, "may not send mail"),
        ({"mail.send"}, {OK, WARN}, "suppressions sync"),
        ({"mail.send", "suppression.read", "api_keys.create"}, {WARN}, "such as api_keys.create"),
    ],
)
def test_a_key_has_the_least_scopes_that_do(
    scopes: set[str], grades: set[SetupGrade], words: str
) -> None:
    found = [*scope_findings(frozenset(scopes))]
    assert graded(*found) == grades
    assert any(words in one.sentence for one in found)


@pytest.mark.parametrize(
    ("domains", "senders", "grade"),
    [
        ([domain()], [], OK),
        ([domain("example.com")], [], OK),
        ([domain(valid=False)], [], FAIL),
        ([domain("badnews.example.com")], [], FAIL),
        ([], [AccountSender(email="Daily@news.example.com", verified=True)], WARN),
        ([], [AccountSender(email="daily@news.example.com", verified=False)], FAIL),
        ([], [], FAIL),
    ],
)
def test_a_sender_is_authenticated_by_its_domain(
    domains: list[AccountDomain], senders: list[AccountSender], grade: SetupGrade
) -> None:
    assert graded(sender_finding(TECHNOLOGY, domains, senders)) == {grade}


@pytest.mark.parametrize(
    ("links", "clicks", "grade"),
    [
        ([AccountLink(host="url1.news.example.com", domain=HOST, valid=True)], True, OK),
        ([AccountLink(host="url1.news.example.com", domain=HOST, valid=False)], True, WARN),
        ([], True, WARN),
        ([], False, OK),
    ],
)
def test_tracked_links_lead_to_a_host_of_ours(
    links: list[AccountLink], clicks: bool, grade: SetupGrade
) -> None:
    newsletter = replace(TECHNOLOGY, tracking=Tracking(clicks=clicks))
    assert graded(link_finding(newsletter, links)) == {grade}


@pytest.mark.parametrize(
    ("change", "grade", "words"),
    [
        ({}, OK, "its key is known here"),
        ({"url": "https://other.example/hook"}, FAIL, "events are posted to https://other.example"),
        ({"url": f"{BASE}/webhooks/sendgrid/"}, FAIL, "ends with a slash"),
        ({"enabled": False}, FAIL, "switched off"),
        ({"public_key": ""}, FAIL, "not signed"),
        ({"public_key": "OTHER"}, FAIL, "not among SENDGRID_WEBHOOK_KEY"),
        ({"events": EVENTS - {"bounce"}}, FAIL, "bounce is not posted"),
        ({"events": EVENTS - {"processed"}}, WARN, "processed is not posted"),
        ({"events": EVENTS - {"open"}}, WARN, "open is not posted"),
    ],
)
def test_a_webhook_posts_all_events_here_signed(
    change: dict[str, object], grade: SetupGrade, words: str
) -> None:
    hook = replace(HOOK, **change)  # type: ignore[arg-type]
    found = [*webhook_findings([hook], BASE, frozenset({"KEY"}), tracked=True)]
    assert max(graded(*found)) is grade
    assert any(words in one.sentence for one in found)


def test_without_tracking_opens_and_clicks_are_not_missed() -> None:
    hook = replace(HOOK, events=EVENTS - {"open", "click"})
    assert graded(*webhook_findings([hook], BASE, frozenset({"KEY"}), tracked=False)) == {OK}


def test_a_webhook_that_is_not_ours_shows_no_password() -> None:
    hook = replace(HOOK, url="https://user:secret@other.example/hook?token=secret")
    [found] = webhook_findings([hook], BASE, frozenset(), tracked=True)
    assert "secret" not in found.sentence


@pytest.mark.parametrize(
    ("url", "has_key", "grade"),
    [
        (f"{BASE}/webhooks/inbound", False, OK),
        ("https://sendgrid:KEY@news.example.com/webhooks/inbound", True, OK),
        (f"{BASE}/webhooks/inbound", True, FAIL),
        ("https://sendgrid:KEY@news.example.com/webhooks/inbound", False, FAIL),
        ("https://other.example/inbound", False, FAIL),
        ("", False, WARN),
    ],
)
def test_unsubscribes_by_mail_come_here(url: str, has_key: bool, grade: SetupGrade) -> None:
    hosts = [AccountParse(host="News.example.com", url=url)] if url else []
    assert graded(parse_finding(TECHNOLOGY, hosts, BASE, has_key=has_key)) == {grade}


@pytest.mark.parametrize("name", ["footer", "template", "google_analytics", "address_whitelist"])
def test_a_setting_that_changes_letters_is_named(name: str) -> None:
    on, off = (AccountSwitch(name=name, enabled=enabled) for enabled in (True, False))
    assert graded(*switch_findings([on])) == {WARN}
    assert graded(*switch_findings([off])) == {OK}


def test_settings_that_a_letter_overrules_do_not_matter() -> None:
    overruled = [AccountSwitch(name=one, enabled=True) for one in ("open", "click", "subscription")]
    assert graded(*switch_findings(overruled)) == {OK}


@pytest.mark.parametrize(("left", "grade"), [(99, FAIL), (250, WARN), (300, OK)])
def test_credits_last_for_some_issues(left: int, grade: SetupGrade) -> None:
    plan = AccountCredits(remaining=left, next_reset="2026-12-01")
    assert graded(credit_finding(plan, 100)) == {grade}


@pytest.mark.parametrize(("seconds", "grade"), [(0, OK), (-31, WARN), (301, FAIL)])
def test_a_clock_agrees_with_sendgrids(seconds: int, grade: SetupGrade) -> None:
    now = datetime(2026, 11, 27, tzinfo=UTC)
    clock = AccountClock(theirs=now + timedelta(seconds=seconds), ours=now)
    assert graded(clock_finding(clock)) == {grade}


def test_unsubscribe_groups_are_harmless() -> None:
    assert graded(group_finding(["Weekly"]), group_finding([])) == {OK}
