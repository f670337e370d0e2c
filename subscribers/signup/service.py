"""Sign-ups and address changes: anybody may ask for one, its owner confirms it.

See docs/decisions/a-sign-up-is-not-a-subscription.md.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields, replace
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import blake2b

from sqlalchemy import Engine, delete
from sqlmodel import Session, col, select

from subscribers.addresses import Address, email_key, read_address
from subscribers.db.record_tables import (
    AddressChangeRow,
    ConfirmationRow,
    InstallationKeyRow,
    SignupRequestRow,
    SignupRow,
)
from subscribers.db.tables import SubscriberRow, SubscriptionRow
from subscribers.db.transaction import execute, transaction
from subscribers.errors import InvalidAddress, InvalidLink, TooManyRequests
from subscribers.model import Choices, Frequency, Purpose, TopicSet
from subscribers.rules.address_slips import likely_slip
from subscribers.signup import requesting
from subscribers.signup.confirming import confirm, confirmed
from subscribers.signup.counting import admit
from subscribers.signup.model import (
    DAY,
    AddressChange,
    AddressChangeRequested,
    Confirmed,
    ConsentProof,
    SignUp,
    SignUpAttempt,
    SignUpLimits,
    SignUpRequested,
    network_of,
)
from subscribers.signup.moving import change_address
from subscribers.tokens import SignedId, check_token, read_token

ADDRESS_HOURS = 48  #: how long a new address waits for its confirmation

_DELETE_EXPIRED = """
DELETE FROM signup USING unnest(%(newsletters)s::text[], %(moments)s::timestamptz[])
                         AS old (newsletter, moment)
WHERE signup.newsletter = old.newsletter AND signup.asked_at <= old.moment
"""

_SIGNUP_FIELDS = {field.name for field in fields(SignUp)}
_CHANGE_FIELDS = {field.name for field in fields(AddressChange)}


class SignUps:
    """Stores sign-ups and address changes until the address's owner confirms them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @cached_property
    def forms_key(self) -> bytes:
        with transaction(self._engine) as session:
            return session.get_one(InstallationKeyRow, "forms").key

    def request(
        self,
        newsletter: str,
        address: Address,
        choices: Choices,
        evidence: ConsentProof,
        limits: SignUpLimits,
        *,
        lasts: timedelta,
        now: datetime,
    ) -> SignUpRequested:
        """Store a sign-up; return what to mail them.

        Nothing is stored for a suppressed address. Until it is confirmed, a later sign-up replaces
        it. Raises TooManyRequests for a network that asked too often.
        """
        attempt = self._attempt(newsletter, address, limits, now, ip=evidence.ip)
        with transaction(self._engine) as session:
            return requesting.request(session, attempt, choices, evidence, expires_at=now + lasts)

    def resend(
        self, newsletter: str, email: str, limits: SignUpLimits, *, ip: str, now: datetime
    ) -> SignUpRequested:
        """Return what to mail to who did not get it. Raises InvalidAddress and TooManyRequests.

        Nothing is to be mailed when it was mailed often enough. For its network it is a sign-up.
        """
        attempt = self._attempt(newsletter, read_address(email), limits, now, ip=ip, again=True)
        with transaction(self._engine) as session:
            return requesting.resend(session, attempt)

    def find(self, signup_id: int) -> SignUp | None:
        """Return a sign-up that still waits, and whose address may be written to."""
        with transaction(self._engine) as session:
            row = session.get(SignupRow, signup_id)
            return _signup(row) if row and requesting.is_writable(session, row.email_key) else None

    def by_token(self, token: str, *, now: datetime) -> SignUp | Confirmed:
        """Return what a confirmation link opens; raise InvalidLink, also when it is too late."""
        signed = read_token(token)
        with transaction(self._engine) as session:
            row = session.get(SignupRow, signed.subscription_id)
            if row is None:
                return _confirmed(session, signed)
        check_token(Purpose.CONFIRM, signed, row.link_key)
        if row.expires_at <= now:
            raise InvalidLink
        return _signup(row)

    def confirm(self, token: str, evidence: ConsentProof, *, now: datetime) -> Confirmed:
        """Confirm a sign-up: its subscription begins, or begins anew. A repeat is a success."""
        found = self.by_token(token, now=now)
        if isinstance(found, Confirmed):
            return found
        with transaction(self._engine) as session:
            done = confirm(session, found.id, evidence, now)
            return done or _confirmed(session, read_token(token))  # somebody pressed twice at once

    def request_link(
        self,
        email: str,
        limits: SignUpLimits,
        lasts: Mapping[str, timedelta],
        *,
        ip: str,
        now: datetime,
    ) -> SignUpRequested:
        """Return of which subscription or sign-up to mail the links to who lost them.

        `lasts` says how long the link of a sign-up works in each newsletter. Nothing is to be
        mailed to an address that is unknown, suppressed or was mailed often enough. Raises
        InvalidAddress and TooManyRequests.
        """
        attempt = self._attempt("", read_address(email), limits, now, ip=ip, again=True)
        with transaction(self._engine) as session:
            return requesting.request_link(session, attempt, lasts)

    def may_welcome(self, subscription_id: int, *, now: datetime) -> bool:
        """Count a welcome; return False if this subscription had one within a day."""
        name = self._counted_as("welcome", str(subscription_id))
        with suppress(TooManyRequests), transaction(self._engine) as session:
            admit(session, name, at_most=1, within=DAY, at=now)
            return True
        return False

    def mark_of(self, email: str) -> bytes:
        """Return a keyed hash of an address, equal however it is typed."""
        return self._counted_as("addressee", email_key(email))

    def request_address_change(
        self,
        subscriber_id: int,
        email: str,
        limits: SignUpLimits,
        *,
        ip: str = "",
        now: datetime,
    ) -> AddressChangeRequested:
        """Store a subscriber's new address; return the change to mail about.

        Nothing is to be mailed when the address is suppressed, is theirs already, or was mailed
        too often. A later request replaces it. Raises InvalidAddress and TooManyRequests.
        """
        attempt = self._attempt("", read_address(email), limits, now, ip=ip)
        attempt = replace(attempt, changes=self._counted_as("change", str(subscriber_id)))
        expires_at = now + timedelta(hours=ADDRESS_HOURS)
        with transaction(self._engine) as session:
            return requesting.request_address_change(
                session, attempt, subscriber_id, expires_at=expires_at
            )

    def address_change(self, change_id: int) -> AddressChange | None:
        """Return an address change that still waits, and whose address may be written to."""
        with transaction(self._engine) as session:
            row = _find_change(session, change_id)
            return _change(row) if row and requesting.is_writable(session, row.email_key) else None

    def address_change_by_token(self, token: str, *, now: datetime) -> AddressChange:
        """Return the address change a link opens; raise InvalidLink."""
        signed = read_token(token)
        with transaction(self._engine) as session:
            row = _find_change(session, signed.subscription_id)
        if row is None or row.expires_at <= now:
            raise InvalidLink
        check_token(Purpose.ADDRESS, signed, row.link_key)
        return _change(row)

    def change_address(self, change: AddressChange, *, now: datetime) -> None:
        """Give a subscriber the address that its owner confirmed; a repeat changes nothing.

        Whoever subscribed there before is the same person, and is merged. What the subscriber
        read goes on, even if the new address had unsubscribed, also on the suppression list: its
        owner wants to be written to there now. An unsubscribe in the meantime stands.
        """
        with transaction(self._engine) as session:
            change_address(session, change.id, at=now)

    def delete_expired(self, retention: Mapping[str, timedelta], *, now: datetime) -> int:
        """Delete what nobody confirmed in a newsletter's time; return how many sign-ups."""
        moments = [now - long for long in retention.values()]
        counted, change = SignupRequestRow, AddressChangeRow
        with transaction(self._engine) as session:
            session.exec(delete(counted).where(col(counted.at) <= now - DAY))
            session.exec(delete(change).where(col(change.expires_at) <= now))
            values = {"newsletters": list(retention), "moments": moments}
            return execute(session, _DELETE_EXPIRED, values)

    def _attempt(
        self,
        newsletter: str,
        address: Address,
        limits: SignUpLimits,
        now: datetime,
        *,
        ip: str = "",
        again: bool = False,
    ) -> SignUpAttempt:
        network = network_of(ip)
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


def _signup(row: SignupRow) -> SignUp:
    values = row.model_dump(include=_SIGNUP_FIELDS)
    values |= {"topics": TopicSet.of(row.topics), "frequency": Frequency(row.frequency)}
    return SignUp(**values)


def _confirmed(session: Session, signed: SignedId) -> Confirmed:
    """Return what a sign-up became that was confirmed before; raise InvalidLink."""
    confirmation = session.get(ConfirmationRow, signed.subscription_id)
    row = confirmation and session.get(SubscriptionRow, confirmation.subscription_id)
    if not (confirmation and row):
        raise InvalidLink
    check_token(Purpose.CONFIRM, signed, confirmation.link_key)
    return confirmed(row, now=False)


def _find_change(session: Session, change_id: int) -> AddressChangeRow | None:
    change, subscriber = AddressChangeRow, SubscriberRow
    found = select(change).join(subscriber, col(subscriber.id) == change.subscriber_id)
    found = found.where(change.id == change_id, col(change.replaced_at).is_(None))
    return session.exec(found).first()


def _change(row: AddressChangeRow) -> AddressChange:
    return AddressChange(**row.model_dump(include=_CHANGE_FIELDS))


def meant_address(email: str) -> str | None:
    """Return the address that was probably meant; None where this one looks right, or is none."""
    with suppress(InvalidAddress):
        return likely_slip(read_address(email).email)
    return None


def check_address(email: str) -> Address:
    """Return the address; raise InvalidAddress, saying what is wrong with it."""
    return read_address(email)
