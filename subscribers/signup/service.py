"""Sign-ups and address changes: anybody may ask for one, its owner confirms it.

See docs/decisions/a-sign-up-is-not-a-subscription.md.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import blake2b

from sqlalchemy import Engine

from subscribers.addresses import email_key, read_address
from subscribers.errors import InvalidLink
from subscribers.model import Purpose
from subscribers.signup.model import (
    AddressChange,
    Confirmed,
    ConsentProof,
    SignUp,
    SignUpAttempt,
    SignUpLimits,
    SignUpRequested,
    Wanted,
    network_of,
)
from subscribers.signup.store import SignUpStore
from subscribers.tokens import SignedId, check_token, read_token

ADDRESS_HOURS = 48  #: how long a new address waits for its confirmation


class SignUps:
    """Stores sign-ups and address changes until the address's owner confirms them."""

    def __init__(self, engine: Engine) -> None:
        self._store = SignUpStore(engine)
        self._key: bytes | None = None

    @property
    def forms_key(self) -> bytes:
        """Return this installation's key for forms."""
        self._key = self._key or self._store.forms_key()
        return self._key

    def request(
        self,
        wanted: Wanted,
        evidence: ConsentProof,
        limits: SignUpLimits,
        *,
        lasts: timedelta,
        now: datetime,
    ) -> SignUpRequested:
        """Store a sign-up; return what to mail them. Raises InvalidAddress.

        Nothing is stored for a suppressed address, nor for a network that signed up too often.
        Until it is confirmed, a later sign-up replaces it.
        """
        attempt = self._attempt(wanted.newsletter, wanted.email, limits, now, ip=evidence.ip)
        return self._store.request(attempt, wanted, evidence, expires_at=now + lasts)

    def resend(
        self, newsletter: str, email: str, limits: SignUpLimits, *, ip: str, now: datetime
    ) -> SignUpRequested:
        """Return what to mail to who did not get it. Raises InvalidAddress.

        Nothing is to be mailed when it was mailed often enough, nor to a network that asked too
        often: this counts as a sign-up.
        """
        return self._store.resend(self._attempt(newsletter, email, limits, now, ip=ip, again=True))

    def find(self, signup_id: int) -> SignUp | None:
        """Return a sign-up that still waits, and whose address may be written to."""
        found = self._store.signup(signup_id)
        return found if found and self._store.is_writable(email_key(found.email)) else None

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
        """Confirm a sign-up: its subscription begins, or begins anew. A repeat is a success."""
        found = self.by_token(token, now=now)
        if isinstance(found, Confirmed):
            return found
        done = self._store.confirm(found.id, evidence, at=now)
        return done or self._confirmed(read_token(token))  # somebody pressed twice at once

    def _confirmed(self, signed: SignedId) -> Confirmed:
        stored = self._store.confirmed(signed.subscription_id)
        if stored is None:
            raise InvalidLink
        link_key, confirmed = stored
        check_token(Purpose.CONFIRM, signed, link_key)
        return confirmed

    def request_address_change(
        self, subscriber_id: int, email: str, *, now: datetime
    ) -> int | None:
        """Store a subscriber's new address; return the change to mail about.

        Nothing is to be mailed when the address is suppressed, is theirs already, or was mailed
        too often. A later request replaces it. Raises InvalidAddress.
        """
        attempt = self._attempt("", email, SignUpLimits(), now)
        expires_at = now + timedelta(hours=ADDRESS_HOURS)
        return self._store.request_address_change(attempt, subscriber_id, expires_at=expires_at)

    def address_change(self, change_id: int) -> AddressChange | None:
        """Return an address change that still waits, and whose address may be written to."""
        found = self._store.address_change(change_id)
        return found if found and self._store.is_writable(email_key(found.email)) else None

    def address_change_by_token(self, token: str, *, now: datetime) -> AddressChange:
        """Return the address change a link opens; raise InvalidLink."""
        signed = read_token(token)
        found = self._store.address_change(signed.subscription_id)
        if found is None:
            raise InvalidLink
        check_token(Purpose.ADDRESS, signed, found.link_key)
        if found.expires_at <= now:
            raise InvalidLink
        return found

    def change_address(self, change: AddressChange, *, now: datetime) -> None:
        """Give a subscriber the address that its owner confirmed; a repeat changes nothing.

        Whoever subscribed there before is the same person, and is merged. What the subscriber
        read goes on, even if the new address had unsubscribed, also on the suppression list: its
        owner wants to be written to there now. An unsubscribe in the meantime stands.
        """
        self._store.change_address(change.id, at=now)

    def delete_expired(self, retention: Mapping[str, timedelta], *, now: datetime) -> int:
        """Delete what nobody confirmed in a newsletter's time; return how many sign-ups."""
        return self._store.delete_expired(
            {slug: now - long for slug, long in retention.items()}, at=now
        )

    def _attempt(
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
        # A keyed hash, so that what is counted does not store the address.
        text = "\n".join(words).encode()
        return blake2b(text, key=self.forms_key, digest_size=16).digest()


def check_address(email: str) -> str:
    """Return the domain of an address; raise InvalidAddress, saying what is wrong with it."""
    return read_address(email).key.rpartition("@")[2]
