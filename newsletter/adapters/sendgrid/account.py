"""Reads what a SendGrid account says of itself; changes nothing."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from newsletter.adapters.sendgrid.mailer import CallFailed, open_client, read_json, response_to
from newsletter.adapters.values import at, listed, mapping, text_at, whole_number
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
from newsletter.errors import SendGridUnavailable
from newsletter.ports import Clock

_PAGE = 50  #: domains; SendGrid's largest page
_SENDERS = 100

#: The scope that each reading needs, as far as SendGrid's list of permissions names it.
_SCOPES = {
    "whitelabel": "whitelabel.read",
    "verified_senders": "sender_verification_eligible",
    "user/webhooks/event": "user.webhooks.event.settings.read",
    "user/webhooks/parse": "user.webhooks.parse.settings.read",
    "mail_settings": "mail_settings.read",
    "tracking_settings": "tracking_settings.read",
    "asm": "asm.groups.read",
    "user/credits": "user.credits.read",
}


class SendGridAccount:
    """Reads the account; each method raises SendGridUnavailable, with the scope that is missing."""

    def __init__(self, *, api_key: str, host: str, timeout: float, clock: Clock) -> None:
        self._client = open_client(api_key, host, timeout)
        self._clock = clock

    def scopes(self) -> frozenset[str]:
        return frozenset(str(one) for one in listed(at(self._get("scopes"), "scopes")))

    def clock(self) -> AccountClock | None:
        """Return what time it is there; None if its answer does not say."""
        answer = response_to(self._client.scopes.get)
        if isinstance(answer, CallFailed):
            raise SendGridUnavailable(answer.reason)
        now = self._clock.now()
        try:
            theirs = parsedate_to_datetime(str(answer.headers.get("Date")))
        except ValueError:
            return None
        return AccountClock(theirs=theirs.astimezone(UTC), ours=now)

    def domains(self) -> tuple[AccountDomain, ...]:
        found = self._get("whitelabel/domains", {"limit": _PAGE})
        return tuple(_domain(mapping(one)) for one in listed(found))

    def links(self) -> tuple[AccountLink, ...]:
        return tuple(
            AccountLink(
                host=".".join(filter(None, (text_at(one, "subdomain"), text_at(one, "domain")))),
                domain=text_at(one, "domain"),
                valid=at(one, "valid") is True,
            )
            for one in listed(self._get("whitelabel/links", {"limit": _PAGE}))
        )

    def senders(self) -> tuple[AccountSender, ...]:
        found = listed(at(self._get("verified_senders", {"limit": _SENDERS}), "results"))
        return tuple(
            AccountSender(email=text_at(one, "from_email"), verified=at(one, "verified") is True)
            for one in found
        )

    def webhooks(self) -> tuple[AccountWebhook, ...]:
        found = listed(at(self._get("user/webhooks/event/settings/all"), "webhooks"))
        return tuple(self._webhook(mapping(one)) for one in found)

    def parse_hosts(self) -> tuple[AccountParse, ...]:
        found = listed(at(self._get("user/webhooks/parse/settings"), "result"))
        return tuple(
            AccountParse(host=text_at(o, "hostname"), url=text_at(o, "url")) for o in found
        )

    def switches(self) -> tuple[AccountSwitch, ...]:
        """Return the settings of mail and of tracking."""
        found = (
            *listed(at(self._get("mail_settings"), "result")),
            *listed(at(self._get("tracking_settings"), "result")),
        )
        return tuple(
            AccountSwitch(name=text_at(one, "name"), enabled=at(one, "enabled") is True)
            for one in found
        )

    def groups(self) -> tuple[str, ...]:
        return tuple(text_at(one, "name") for one in listed(self._get("asm/groups")))

    def credits(self) -> AccountCredits:
        found = self._get("user/credits")
        return AccountCredits(
            remaining=whole_number(at(found, "remain")) or 0,
            next_reset=text_at(found, "next_reset"),
        )

    def _webhook(self, one: Mapping[str, object]) -> AccountWebhook:
        number = text_at(one, "id")
        key = text_at(one, "public_key")
        if not key and number:  # the list leaves it out at times
            key = text_at(self._get(f"user/webhooks/event/settings/signed/{number}"), "public_key")
        return AccountWebhook(
            id=number,
            url=text_at(one, "url"),
            enabled=one.get("enabled") is True,
            events=frozenset(name for name, value in one.items() if value is True) - {"enabled"},
            public_key=key,
        )

    def _get(self, path: str, query: dict[str, int] | None = None) -> object:
        endpoint: Any = self._client
        for part in path.split("/"):
            endpoint = endpoint._(part)  # the vendor's way
        found = read_json(_asked(endpoint, query))
        if isinstance(found, CallFailed):
            raise SendGridUnavailable(_reason(found, path))
        return found


def _asked(endpoint: Any, query: dict[str, int] | None) -> Callable[[], Any]:
    return lambda: endpoint.get(query_params=query) if query else endpoint.get()


def _reason(failed: CallFailed, path: str) -> str:
    scope = next((one for part, one in _SCOPES.items() if path.startswith(part)), "")
    if failed.status == HTTPStatus.FORBIDDEN and scope:
        return f"the key may not read it ({scope})"
    return failed.reason


def _domain(one: Mapping[str, object]) -> AccountDomain:
    records = tuple(_records(mapping(one.get("dns"))))
    dkim = tuple(host for name, host, _ in records if "dkim" in name)
    return AccountDomain(
        domain=text_at(one, "domain"),
        valid=one.get("valid") is True,
        records=tuple((host, data) for _, host, data in records),
        dkim_hosts=dkim,
    )


def _records(dns: Mapping[str, object]) -> Iterator[tuple[str, str, str]]:
    for name, record in dns.items():
        if host := text_at(record, "host"):
            yield name, host, text_at(record, "data")
