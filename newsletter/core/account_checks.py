"""Judges what a SendGrid account says of itself: whether it changes or refuses our letters."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from urllib.parse import urlsplit

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
from newsletter.core.publication import Newsletter
from newsletter.core.setup_finding import SetupArea, SetupFinding, SetupSubject

_SEND = "mail.send"
#: What else the service asks for, each with what is missing without it.
_USEFUL = {
    "suppression.read": "`newsletter suppressions sync` cannot read SendGrid's lists",
}
#: Rights of any key that changes nothing here, whatever they are called.
_HARMLESS = re.compile(r"mail\.send|mail\.batch\..*|sender_verification_.*|2fa_.*|.*\.read")
_EVENTS_NEEDED = {
    "delivered": "no letter is ever shown as delivered",
    "bounce": "addresses that do not exist are written to again",
    "dropped": "letters that SendGrid did not send look as if they were under way",
    "spam_report": "who complained is written to again",
}
_EVENTS_USEFUL = {
    "processed": "unknown batches are proven later",
    "deferred": "delays are not seen",
    "unsubscribe": "an unsubscribe at SendGrid is not seen",
    "group_unsubscribe": "an unsubscribe at SendGrid is not seen",
    "account_status_change": "operators are not alerted when SendGrid suspends the account",
}
#: Settings of the account that change a letter, with what they do to it. A letter says itself
#: whether opens, clicks and unsubscribes are tracked, so these settings do not matter.
_CHANGING = {
    "footer": "appends another footer to every letter",
    "template": "wraps every letter in another template",
    "google_analytics": "adds marks for Google Analytics to every link",
    "address_whitelist": "delivers to the listed addresses what they bounced or left before",
}
_RENAMED = {"utm": "google_analytics", "ganalytics": "google_analytics"}
_FEW_DAYS, _CLOCK_WARN, _CLOCK_FAIL = 3, timedelta(seconds=30), timedelta(minutes=5)


def _subject(name: str) -> SetupSubject:
    return SetupSubject(SetupArea.SENDGRID, name)


def scope_findings(scopes: frozenset[str]) -> Iterator[SetupFinding]:
    """Judge what the key may do: the least that is needed, and what is too much."""
    about = _subject("key")
    if _SEND not in scopes:
        yield about.fail(
            f"the key may not send mail: it lacks the scope {_SEND}",
            "in SendGrid, Settings > API Keys, give the key the right Mail Send",
        )
    for scope, without in _USEFUL.items():
        if not any(one == scope or one.startswith("suppression.") for one in scopes):
            yield about.warn(f"it lacks the scope {scope}: {without}", "give it Suppressions, read")
    much = sorted(one for one in scopes if not _HARMLESS.fullmatch(one))
    if much:
        yield about.warn(
            f"it may do {len(much)} things that are never asked of it, "
            f"such as {', '.join(much[:3])}",
            "make a key of Restricted Access: Mail Send, and reading of what is checked here",
        )
    elif _SEND in scopes:
        yield about.ok(f"it may send mail, and change nothing else ({len(scopes)} scopes)")


def sender_finding(
    newsletter: Newsletter, domains: Sequence[AccountDomain], senders: Sequence[AccountSender]
) -> SetupFinding:
    """Judge whether SendGrid lets this newsletter's sender write, and signs as its domain."""
    about, email = _subject("sender"), newsletter.sender.email
    host = email.rpartition("@")[2]
    mine = [one for one in domains if is_within(host, one.domain)]
    if any(one.valid for one in mine):
        return about.ok(f"{email}: {next(o.domain for o in mine if o.valid)} is authenticated")
    cure = f"in SendGrid, Settings > Sender Authentication, authenticate {host}, and verify it"
    if mine:
        return about.fail(f"{email}: {mine[0].domain} was added, and its records do not hold", cure)
    if any(one.verified and one.email.casefold() == email.casefold() for one in senders):
        return about.warn(
            f"{email} is verified as a single sender only: letters are signed as sendgrid.net, "
            "which large providers reject in bulk",
            cure,
        )
    return about.fail(
        f"{email}: neither it nor {host} is known to SendGrid, which refuses it", cure
    )


def link_finding(newsletter: Newsletter, links: Sequence[AccountLink]) -> SetupFinding:
    """Judge where tracked links lead to."""
    about, host = _subject("links"), newsletter.sender.email.rpartition("@")[2]
    mine = [one for one in links if is_within(host, one.domain) or is_within(one.domain, host)]
    cure = f"in SendGrid, Settings > Sender Authentication, brand links for {host}, and verify it"
    if valid := [one for one in mine if one.valid]:
        return about.ok(f"tracked links lead to {valid[0].host}")
    if not newsletter.tracking.clicks:
        return about.ok(f"{newsletter.slug} tracks no clicks: its links are its own")
    if mine:
        return about.warn(
            f"the record of {mine[0].host} does not hold: links are sendgrid.net's", cure
        )
    return about.warn("tracked links lead to sendgrid.net, a host that is not yours", cure)


def webhook_findings(
    hooks: Sequence[AccountWebhook], public_url: str, keys: frozenset[str], *, tracked: bool
) -> Iterator[SetupFinding]:
    """Judge whether events come here, all of them, and signed with a key that is known here."""
    about, ours = _subject("webhook"), f"{public_url}/webhooks/sendgrid"
    mine = [one for one in hooks if one.url.rstrip("/") == ours]
    where = "in SendGrid, Settings > Mail Settings > Event Webhooks"
    if not mine:
        others = ", ".join(_without_secret(one.url) for one in hooks) or "nowhere"
        yield about.fail(f"events are posted to {others}, not to {ours}", f"{where}, add {ours}")
        return
    one = next((one for one in mine if one.enabled), mine[0])
    if not one.enabled:
        yield about.fail(f"the webhook to {ours} is switched off", f"{where}, enable it")
    if not one.public_key:
        yield about.fail("events are not signed, so all are refused", f"{where}, sign events")
    elif one.public_key not in keys:
        yield about.fail(
            "its public key is not among SENDGRID_WEBHOOK_KEY: every event is refused",
            f"set SENDGRID_WEBHOOK_KEY={one.public_key}, for every process",
        )
    yield from _event_findings(about, one, tracked=tracked)
    if one.enabled and one.public_key in keys and one.url != ours:
        yield about.fail(f"it ends with a slash: {one.url}", f"{where}, set {ours}")
    elif one.enabled and one.public_key in keys:
        yield about.ok(f"signed events are posted to {ours}, and its key is known here")


def _event_findings(
    about: SetupSubject, one: AccountWebhook, *, tracked: bool
) -> Iterator[SetupFinding]:
    cure = "in SendGrid, Settings > Mail Settings > Event Webhooks, tick {}"
    for event, without in _EVENTS_NEEDED.items():
        if event not in one.events:
            yield about.fail(f"{event} is not posted: {without}", cure.format(event))
    useful = _EVENTS_USEFUL | (
        dict.fromkeys(("open", "click"), "the results show none") if tracked else {}
    )
    for event, without in useful.items():
        if event not in one.events:
            yield about.warn(f"{event} is not posted: {without}", cure.format(event))


def parse_finding(
    newsletter: Newsletter, hosts: Sequence[AccountParse], public_url: str, *, has_key: bool
) -> SetupFinding:
    """Judge whether unsubscribes by mail come here."""
    about, host = _subject("inbound"), newsletter.unsubscribe_email.rpartition("@")[2]
    ours = f"{public_url}/webhooks/inbound"
    cure = (
        f"in SendGrid, Settings > Inbound Parse, post mail to {host} to "
        f"{ours.replace('://', '://sendgrid:KEY@')}"
    )
    mine = next((one for one in hosts if one.host.casefold() == host.casefold()), None)
    if mine is None:
        return about.warn(
            f"mail to {newsletter.unsubscribe_email} is not posted here: somebody must read it",
            cure,
        )
    if _without_secret(mine.url) != ours:
        return about.fail(f"mail to {host} is posted to {_without_secret(mine.url)}", cure)
    if has_key != ("@" in urlsplit(mine.url).netloc):
        return about.fail(
            "Inbound Parse and NEWSLETTER_INBOUND_KEY do not agree on a password", cure
        )
    return about.ok(f"mail to {newsletter.unsubscribe_email} is posted here")


def switch_findings(switches: Iterable[AccountSwitch]) -> Iterator[SetupFinding]:
    """Judge the account's own settings of mail and tracking."""
    about, changed = _subject("account"), False
    for one in switches:
        name = _RENAMED.get(one.name, one.name)
        if one.enabled and name in _CHANGING:
            changed = True
            yield about.warn(
                f"its setting {name} {_CHANGING[name]}",
                "in SendGrid, Settings > Mail Settings or Tracking, switch it off",
            )
    if not changed:
        yield about.ok("none of its settings changes a letter")


def group_finding(groups: Sequence[str]) -> SetupFinding:
    """Judge the account's unsubscribe groups, which our letters name none of."""
    about = _subject("groups")
    if not groups:
        return about.ok("there is no unsubscribe group: readers leave here alone")
    return about.ok(
        f"there are {len(groups)} unsubscribe groups; our letters name none, so nobody "
        "leaves by one"
    )


def pool_finding() -> SetupFinding:
    """Say which IP addresses letters leave by; no letter names a pool."""
    return _subject("IP pool").ok("letters name no IP pool: they leave by the account's own")


def credit_finding(credits_: AccountCredits, readers: int) -> SetupFinding:
    """Judge whether the plan lets the next issues leave."""
    about, left = _subject("credits"), credits_.remaining
    until = f"until {credits_.next_reset}" if credits_.next_reset else "in this period"
    if left < readers:
        return about.fail(
            f"{left:,} letters are left {until}, and one issue needs {readers:,}: SendGrid answers "
            "401 Maximum credits exceeded, and the issue pauses",
            "raise the plan, or send to a segment",
        )
    if left < readers * _FEW_DAYS:
        return about.warn(
            f"{left:,} letters are left {until}: enough for {left // max(readers, 1)} issues",
            "raise the plan before they are used up",
        )
    return about.ok(f"{left:,} letters are left {until}")


def clock_finding(clock: AccountClock) -> SetupFinding:
    """Judge this machine's clock by SendGrid's."""
    about, skew = SetupSubject(SetupArea.MACHINE, "clock"), abs(clock.theirs - clock.ours)
    seconds = round(skew.total_seconds())
    cure = "switch time synchronisation on: timedatectl set-ntp true"
    if skew > _CLOCK_FAIL:
        return about.fail(
            f"this clock and SendGrid's differ by {seconds:,} seconds: issues leave at "
            "another hour",
            cure,
        )
    if skew > _CLOCK_WARN:
        return about.warn(f"this clock and SendGrid's differ by {seconds} seconds", cure)
    return about.ok(f"it agrees with SendGrid's to {max(seconds, 1)} s")


def is_within(host: str, domain: str) -> bool:
    """Return whether a host is a domain or below it.

    >>> is_within("news.example.com", "example.com"), is_within("badexample.com", "example.com")
    (True, False)
    """
    host, domain = host.casefold().rstrip("."), domain.casefold().rstrip(".")
    return host == domain or host.endswith(f".{domain}")


def _without_secret(url: str) -> str:
    """Return an address as it may be shown: without a password or a query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")
