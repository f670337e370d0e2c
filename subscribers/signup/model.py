"""Signing up: what somebody asks for, the proof of consent, how often an address is mailed."""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from subscribers.addresses import Address
from subscribers.model import Frequency, SubscriptionStatus, SuppressionReason, TopicSet

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
_PREFIXES = {4: 24, 6: 64}  #: IP version → bits that one household or office usually shares

#: What a confirmation answers: they do want to be written to, and an email has reached them.
LIFTED_BY_OWNER = (SuppressionReason.SOFT_BOUNCE, SuppressionReason.UNSUBSCRIBE)


@dataclass(frozen=True, kw_only=True)
class ConsentProof:
    """Where and how somebody signed up or confirmed, so that consent can be proved later."""

    via: str  #: "sign-up page", "embedded form", "JSON endpoint", "confirmation link"
    email: str = ""  #: as it was typed in the form
    form: str = ""  #: URL of the form, and its version
    version: str = ""
    consent_text: str = ""  #: as it was shown
    ip: str = ""
    agent: str = ""


@dataclass(frozen=True, kw_only=True)
class SignUpLimits:
    """How often one may sign up."""

    pause: timedelta = timedelta(minutes=10)  #: from one mail to an address to the next
    mails_a_day: int = 3  #: to an address
    signups_an_hour: int = 20  #: from a network, and whatever else causes a letter
    address_changes_a_day: int = 5  #: of one subscriber


def strictest(limits: Iterable[SignUpLimits]) -> SignUpLimits:
    """Return the limits of what concerns several newsletters; those by default where none is."""
    several = tuple(limits) or (SignUpLimits(),)
    return SignUpLimits(
        pause=max(one.pause for one in several),
        mails_a_day=min(one.mails_a_day for one in several),
        signups_an_hour=min(one.signups_an_hour for one in several),
        address_changes_a_day=min(one.address_changes_a_day for one in several),
    )


@dataclass(frozen=True, kw_only=True)
class SignUpAttempt:
    """One sign-up or address change that is asked for, and how limits count it."""

    address: Address
    newsletter: str
    limits: SignUpLimits
    mails: bytes  #: as what emails to this address are counted
    network: str = ""
    signups: bytes = b""  #: as what sign-ups of this network are counted
    changes: bytes = b""  #: as what address changes of this subscriber are counted
    again: bool = False  #: what was asked for before, once more
    at: datetime


@dataclass(frozen=True, kw_only=True)
class SignUp:
    """A request for a subscription, not confirmed yet."""

    id: int
    newsletter: str
    email: str
    topics: TopicSet
    zone: str
    frequency: Frequency
    link_key: bytes
    asked_at: datetime
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class AddressChange:
    """A subscriber's new address, until it is confirmed there."""

    id: int
    subscriber_id: int
    email: str
    link_key: bytes
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class SignUpRequested:
    """What is to be mailed to whoever signed up; often nothing at all."""

    signup_id: int | None = None  #: a confirmation of this sign-up
    subscription_id: int | None = None  #: a message that there is this subscription already


@dataclass(frozen=True, kw_only=True)
class AddressChangeRequested:
    """What follows for a subscriber who asked for a new address; often nothing at all."""

    change_id: int | None = None  #: what to mail about
    is_theirs: bool = False  #: they have that address already


@dataclass(frozen=True, kw_only=True)
class Confirmed:
    """A sign-up that was confirmed, now or before."""

    newsletter: str
    subscription_id: int
    subscriber_id: int
    link_key: bytes  #: its subscription's
    status: SubscriptionStatus
    now: bool  #: false: it was before, and nothing changed


def network_of(ip: str) -> str:
    """Return the network an address belongs to, as far as limits care; empty if it is none."""
    try:
        address = ipaddress.ip_address(ip.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    prefix = _PREFIXES[address.version]
    return str(ipaddress.ip_network(f"{address}/{prefix}", strict=False))


def may_mail(
    mailed: Sequence[datetime], limits: SignUpLimits, now: datetime, *, again: bool = False
) -> bool:
    """Return whether an address may be mailed, given when it was; `again` allows one more.

    `again`: they pressed "send it again", since the first one did not come.
    """
    of_the_day = sum(at > now - DAY for at in mailed)
    lately = sum(at > now - limits.pause for at in mailed)
    return of_the_day < limits.mails_a_day and lately <= int(again)
