"""What a SendGrid account says of itself, as far as it decides about our letters."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class AccountDomain:
    """A domain that was authenticated for sending."""

    domain: str
    valid: bool
    records: tuple[tuple[str, str], ...]  #: host and data of each CNAME or TXT it needs
    dkim_hosts: tuple[str, ...]  #: under which its DKIM keys are


@dataclass(frozen=True, kw_only=True)
class AccountLink:
    """A host of ours that tracked links lead to."""

    host: str
    domain: str
    valid: bool


@dataclass(frozen=True, kw_only=True)
class AccountSender:
    """A single address that was verified for sending."""

    email: str
    verified: bool


@dataclass(frozen=True, kw_only=True)
class AccountWebhook:
    """An event webhook: where events are posted to, which, and signed with what."""

    id: str
    url: str
    enabled: bool
    events: frozenset[str]  #: as SendGrid's settings name them
    public_key: str  #: empty: they are not signed


@dataclass(frozen=True, kw_only=True)
class AccountParse:
    """A host whose mail Inbound Parse posts to an address."""

    host: str
    url: str


@dataclass(frozen=True, kw_only=True)
class AccountSwitch:
    """A setting of mail or tracking that applies to every letter of the account."""

    name: str
    enabled: bool


@dataclass(frozen=True, kw_only=True)
class AccountCredits:
    """How many letters may still be sent until the plan's next period."""

    remaining: int
    next_reset: str


@dataclass(frozen=True, kw_only=True)
class AccountClock:
    """What time it is at SendGrid, and was here at that moment."""

    theirs: datetime
    ours: datetime
