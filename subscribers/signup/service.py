"""Sign-ups and new addresses: asked for by anybody, true once their owner confirms."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Protocol

from subscribers.addresses import Address, email_key, read_address
from subscribers.errors import InvalidLink
from subscribers.model import Purpose
from subscribers.signup.model import (
    AddressChange,
    Confirmed,
    ConsentProof,
    SignUp,
    SignUpLimits,
    SignUpRequested,
    Wanted,
    network_of,
)
from subscribers.tokens import SignedId, check_token, read_token

ADDRESS_HOURS = 48  #: how long a new address waits for its confirmation


@dataclass(frozen=True, kw_only=True)
class SignUpAttempt:
    """One asking, as the store is told of it."""

    address: Address
    newsletter: str
    limits: SignUpLimits
    mails: bytes  #: under which name mails to this address are counted
    network: str = ""
    signups: bytes = b""  #: under which name sign-ups of this network are counted
    again: bool = False  #: what was asked before, once more
    at: datetime


class SignUpStore(Protocol):
    """Where sign-ups and new addresses wait."""

    def forms_key(self) -> bytes:
        """Return the house's own key for forms."""
        ...

    def ask(
        self, asking: SignUpAttempt, wanted: Wanted, evidence: ConsentProof, *, expires_at: datetime
    ) -> SignUpRequested:
        """Keep a sign-up, unless a limit, a suppression or a subscription forbids it."""
        ...

    def again(self, asking: SignUpAttempt) -> SignUpRequested:
        """Return what to mail once more."""
        ...

    def signup(self, signup_id: int) -> SignUp | None:
        """Return the sign-up of this number, while it waits."""
        ...

    def confirmed(self, signup_id: int) -> tuple[bytes, Confirmed] | None:
        """Return what a confirmed sign-up became, and what its link was signed with."""
        ...

    def confirm(self, signup_id: int, evidence: ConsentProof, *, at: datetime) -> Confirmed | None:
        """Make or revive the subscription a sign-up asked for; None if it is gone."""
        ...

    def ask_address(
        self, asking: SignUpAttempt, subscriber_id: int, *, expires_at: datetime
    ) -> int | None:
        """Keep a subscriber's new address, and return its number if it is to be mailed."""
        ...

    def address_change(self, change_id: int) -> AddressChange | None:
        """Return the address change of this number."""
        ...

    def move(self, change_id: int, *, at: datetime) -> None:
        """Give a subscriber the address they confirmed; whoever had it is merged into them."""
        ...

    def sweep(self, older: Mapping[str, datetime], *, at: datetime) -> int:
        """Delete sign-ups asked before a newsletter's moment; return how many."""
        ...

    def writable(self, email_key: str) -> bool:
        """Tell whether something may be mailed to this address about its own wish."""
        ...


class SignUps:
    """The desk where people ask for letters, and confirm that it was they who asked."""

    def __init__(self, store: SignUpStore) -> None:
        self._store = store
        self._key: bytes | None = None

    @property
    def forms_key(self) -> bytes:
        """Return the house's own key for forms."""
        self._key = self._key or self._store.forms_key()
        return self._key

    def ask(
        self,
        wanted: Wanted,
        evidence: ConsentProof,
        limits: SignUpLimits,
        *,
        lasts: timedelta,
        now: datetime,
    ) -> SignUpRequested:
        """Hear somebody who wants letters; return what to mail them. Raises InvalidAddress.

        Nothing is kept for a suppressed address, nor for a network that asked too often. Asked
        again before it was confirmed, the latest asking stands.
        """
        asking = self._asking(wanted.newsletter, wanted.email, limits, now, ip=evidence.ip)
        return self._store.ask(asking, wanted, evidence, expires_at=now + lasts)

    def again(
        self, newsletter: str, email: str, limits: SignUpLimits, *, ip: str, now: datetime
    ) -> SignUpRequested:
        """Return what to mail to who did not get it. Raises InvalidAddress.

        Nothing is to be mailed when it was mailed often enough, nor to a network that asked too
        often: this counts as an asking.
        """
        return self._store.again(self._asking(newsletter, email, limits, now, ip=ip, again=True))

    def find(self, signup_id: int) -> SignUp | None:
        """Return a sign-up that still waits, and whose address may be written to."""
        found = self._store.signup(signup_id)
        return found if found and self._store.writable(email_key(found.email)) else None

    def by_token(self, token: str, *, now: datetime) -> SignUp | Confirmed:
        """Return what a confirmation link opens; raise InvalidLink, also when it is too late."""
        signed = read_token(token)
        found = self._store.signup(signed.subscription_id)
        if found is None:
            return self._confirmed(signed)
        check_token(Purpose.CONFIRM, signed, found.link_key)
        if found.expires_at <= now:
            raise InvalidLink
        return found

    def confirm(self, token: str, evidence: ConsentProof, *, now: datetime) -> Confirmed:
        """Make a sign-up true: its subscription begins, or begins anew. A repeat is a success."""
        found = self.by_token(token, now=now)
        if isinstance(found, Confirmed):
            return found
        done = self._store.confirm(found.id, evidence, at=now)
        return done or self._confirmed(read_token(token))  # somebody pressed twice at once

    def _confirmed(self, signed: SignedId) -> Confirmed:
        kept = self._store.confirmed(signed.subscription_id)
        if kept is None:
            raise InvalidLink
        link_key, confirmed = kept
        check_token(Purpose.CONFIRM, signed, link_key)
        return confirmed

    def ask_address(self, subscriber_id: int, email: str, *, now: datetime) -> int | None:
        """Hear a subscriber's new address; return the change to mail about. Raises InvalidAddress.

        Nothing is to be mailed when the address is suppressed, is theirs already, or was mailed
        too often. The latest asking stands.
        """
        asking = self._asking("", email, SignUpLimits(), now)
        expires_at = now + timedelta(hours=ADDRESS_HOURS)
        return self._store.ask_address(asking, subscriber_id, expires_at=expires_at)

    def address_change(self, change_id: int) -> AddressChange | None:
        """Return an address change that still waits, and whose address may be written to."""
        found = self._store.address_change(change_id)
        return found if found and self._store.writable(email_key(found.email)) else None

    def address_by_token(self, token: str, *, now: datetime) -> AddressChange:
        """Return the address change a link opens; raise InvalidLink."""
        signed = read_token(token)
        found = self._store.address_change(signed.subscription_id)
        if found is None:
            raise InvalidLink
        check_token(Purpose.ADDRESS, signed, found.link_key)
        if found.expires_at <= now:
            raise InvalidLink
        return found

    def move(self, change: AddressChange, *, now: datetime) -> None:
        """Give a subscriber the address that its owner confirmed; a repeat changes nothing.

        Whoever subscribed there before is the same person, and is merged. What the subscriber
        read goes on, though a goodbye had been said there, also on the suppression list: its owner
        wants letters there now. A goodbye said meanwhile stands.
        """
        self._store.move(change.id, at=now)

    def sweep(self, kept_for: Mapping[str, timedelta], *, now: datetime) -> int:
        """Delete what nobody confirmed in a newsletter's time; return how many sign-ups."""
        return self._store.sweep({slug: now - long for slug, long in kept_for.items()}, at=now)

    def _asking(
        self,
        newsletter: str,
        email: str,
        limits: SignUpLimits,
        now: datetime,
        *,
        ip: str = "",
        again: bool = False,
    ) -> SignUpAttempt:
        address, network = read_address(email), network_of(ip)
        return SignUpAttempt(
            address=address,
            newsletter=newsletter,
            limits=limits,
            mails=self._counted_as("mail", address.key),
            network=network,
            signups=self._counted_as("network", network),
            again=again,
            at=now,
        )

    def _counted_as(self, *words: str) -> bytes:
        # What is counted needs no address on file.
        said = "\n".join(words).encode()
        return blake2b(said, key=self.forms_key, digest_size=16).digest()


def check_address(email: str) -> str:
    """Return the domain of an address; raise InvalidAddress, saying what is wrong with it."""
    return read_address(email).key.rpartition("@")[2]
