"""The store of sign-ups and address changes: each method is one short transaction."""

import hashlib
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Engine, delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from subscribers.db.record_tables import (
    AddressChangeRow,
    ConfirmationRow,
    ConsentTextRow,
    InstallationKeyRow,
    SignupRequestRow,
    SignupRow,
)
from subscribers.db.statements import erasure_hash
from subscribers.db.suppressions import lift
from subscribers.db.tables import SubscriberRow, SubscriptionRow, SuppressionRow
from subscribers.db.transaction import execute, scalar, transaction
from subscribers.model import Frequency, TopicSet
from subscribers.signup.confirming import record_consent, subscribe
from subscribers.signup.limits import count_mail, network_is_over
from subscribers.signup.model import (
    DAY,
    LIFTED_BY_OWNER,
    AddressChange,
    Confirmed,
    ConsentProof,
    SignUp,
    SignUpAttempt,
    SignUpRequested,
    Wanted,
)
from subscribers.signup.moving import change_address

# Whoever is suppressed for something that a confirmation lifts needs to confirm.
_SUBSCRIBED = """
SELECT subscription.id
FROM subscription JOIN subscriber ON subscriber.id = subscriber_id
WHERE email_key = %(key)s AND newsletter = %(newsletter)s AND status = 'active'
  AND NOT EXISTS (SELECT FROM suppression WHERE suppression.email_key = subscriber.email_key)
"""

# The latest request stands, under the link that was mailed before. Of requests, five are stored.
_REQUEST = """
INSERT INTO signup AS old (newsletter, email, email_key, name, topics, zone, frequency, asked_at,
                           expires_at, network, mails, mailed_at, evidence)
VALUES (%(newsletter)s, %(email)s, %(key)s, %(name)s, %(topics)s, %(zone)s, %(frequency)s, %(at)s,
        %(expires_at)s, %(network)s, %(mails)s, CASE WHEN %(mails)s = 1 THEN %(at)s END,
        jsonb_build_object('requests', %(requests)s::jsonb))
ON CONFLICT (newsletter, email_key) DO UPDATE
SET email = excluded.email, name = excluded.name, topics = excluded.topics, zone = excluded.zone,
    frequency = excluded.frequency, asked_at = excluded.asked_at,
    expires_at = excluded.expires_at, network = excluded.network,
    mails = old.mails + excluded.mails, mailed_at = coalesce(excluded.mailed_at, old.mailed_at),
    evidence = jsonb_build_object('requests', CASE
        WHEN jsonb_array_length(old.evidence -> 'requests') < 5 THEN old.evidence -> 'requests'
        ELSE (old.evidence -> 'requests') - 0 END || (excluded.evidence -> 'requests'))
RETURNING id
"""

# A new address gets a link of its own: the one mailed elsewhere must not confirm it.
_REQUEST_ADDRESS = """
INSERT INTO address_change AS old (subscriber_id, email, email_key, asked_at, expires_at)
VALUES (%(subscriber)s, %(email)s, %(key)s, %(at)s, %(expires_at)s)
ON CONFLICT (subscriber_id) DO UPDATE
SET email = excluded.email, email_key = excluded.email_key, asked_at = excluded.asked_at,
    expires_at = excluded.expires_at,
    link_key = CASE WHEN old.email_key = excluded.email_key THEN old.link_key
                    ELSE excluded.link_key END
RETURNING id
"""

_FORGET_ERASURE = f"DELETE FROM erasure WHERE hash = {erasure_hash('%(key)s')}"

_DELETE_EXPIRED = """
DELETE FROM signup USING unnest(%(newsletters)s::text[], %(moments)s::timestamptz[])
                         AS old (newsletter, moment)
WHERE signup.newsletter = old.newsletter AND signup.asked_at <= old.moment
"""


_SIGNUP_FIELDS = {field.name for field in fields(SignUp)}
_CHANGE_FIELDS = {field.name for field in fields(AddressChange)}


class SignUpStore:
    """Stores sign-ups and address changes until they are confirmed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def forms_key(self) -> bytes:
        """Return this installation's key for forms."""
        with transaction(self._engine) as session:
            return session.get_one(InstallationKeyRow, "forms").key

    def request(
        self, attempt: SignUpAttempt, wanted: Wanted, proof: ConsentProof, *, expires_at: datetime
    ) -> SignUpRequested:
        """Store a sign-up, unless a limit, a suppression or a subscription forbids it."""
        key = attempt.address.key
        with transaction(self._engine) as session:
            if network_is_over(session, attempt) or not _is_writable(session, key):
                return SignUpRequested()
            mail = count_mail(session, attempt)
            if subscription_id := _subscribed(session, attempt):
                return SignUpRequested(subscription_id=subscription_id if mail else None)
            values = _requested(attempt, wanted, proof) | {"mails": int(mail)}
            number = scalar(session, _REQUEST, values | {"expires_at": expires_at})
            if text := proof.consent_text:
                first = insert(ConsentTextRow).values(
                    hash=_hash(text), text=text, first_used_at=attempt.at
                )
                session.exec(first.on_conflict_do_nothing())
            return SignUpRequested(signup_id=number if mail else None)

    def resend(self, attempt: SignUpAttempt) -> SignUpRequested:
        """Return what to mail once more."""
        with transaction(self._engine) as session:
            if network_is_over(session, attempt):
                return SignUpRequested()
            subscription_id = _subscribed(session, attempt)
            waiting = _waiting(session, attempt)
            known = subscription_id or waiting
            if not (known and _is_writable(session, attempt.address.key)):
                return SignUpRequested()
            if not count_mail(session, attempt):
                return SignUpRequested()
            if subscription_id or waiting is None:
                return SignUpRequested(subscription_id=subscription_id)
            row = SignupRow
            mailed = {"mailed_at": attempt.at, "mails": row.mails + 1}
            session.exec(update(row).where(col(row.id) == waiting).values(mailed))
            return SignUpRequested(signup_id=waiting)

    def signup(self, signup_id: int) -> SignUp | None:
        """Return the sign-up of this number, while it waits."""
        with transaction(self._engine) as session:
            row = session.get(SignupRow, signup_id)
        if row is None:
            return None
        values = row.model_dump(include=_SIGNUP_FIELDS)
        values |= {"topics": TopicSet.of(row.topics), "frequency": Frequency(row.frequency)}
        return SignUp(**values)

    def confirmed(self, signup_id: int) -> tuple[bytes, Confirmed] | None:
        """Return what a confirmed sign-up became, and what its link was signed with."""
        with transaction(self._engine) as session:
            confirmation = session.get(ConfirmationRow, signup_id)
            row = confirmation and session.get(SubscriptionRow, confirmation.subscription_id)
            if not (confirmation and row):
                return None
            return confirmation.link_key, _confirmed(row, now=False)

    def confirm(self, signup_id: int, proof: ConsentProof, *, at: datetime) -> Confirmed | None:
        """Make or revive the subscription asked for; return None if the sign-up is gone."""
        with transaction(self._engine) as session:
            taken = delete(SignupRow).where(col(SignupRow.id) == signup_id).returning(SignupRow)
            signup = session.scalars(taken).first()
            if signup is None:
                return None
            row = subscribe(session, signup, at)
            record_consent(session, signup, row.subscriber_id, proof, at)
            _reopen_address(session, signup.email_key, at)
            confirmed = _confirmed(row, now=True)
            session.add(
                ConfirmationRow(
                    signup_id=signup_id,
                    subscription_id=confirmed.subscription_id,
                    link_key=signup.link_key,
                    at=at,
                )
            )
            return confirmed

    def request_address_change(
        self, attempt: SignUpAttempt, subscriber_id: int, *, expires_at: datetime
    ) -> int | None:
        """Store a subscriber's new address, and return its number if it is to be mailed."""
        address, row = attempt.address, SubscriberRow
        holder = select(row.id).where(row.email_key == address.key, col(row.merged_into).is_(None))
        with transaction(self._engine) as session:
            if session.exec(holder).first() == subscriber_id:
                return None
            if not _is_writable(session, address.key):
                return None
            mail = count_mail(session, attempt)
            values = {
                "at": attempt.at,
                "email": address.email,
                "expires_at": expires_at,
                "key": address.key,
                "subscriber": subscriber_id,
            }
            number = scalar(session, _REQUEST_ADDRESS, values)
            return number if mail else None

    def address_change(self, change_id: int) -> AddressChange | None:
        """Return the address change of this number."""
        change, subscriber = AddressChangeRow, SubscriberRow
        found = select(change).join(subscriber, col(subscriber.id) == change.subscriber_id)
        with transaction(self._engine) as session:
            row = session.exec(found.where(change.id == change_id)).first()
        return row and AddressChange(**row.model_dump(include=_CHANGE_FIELDS))

    def change_address(self, change_id: int, *, at: datetime) -> None:
        """Give a subscriber the address they confirmed; whoever had it is merged into them."""
        with transaction(self._engine) as session:
            if key := change_address(session, change_id, at=at):
                _reopen_address(session, key, at)

    def delete_expired(self, older: Mapping[str, datetime], *, at: datetime) -> int:
        """Delete sign-ups requested before a newsletter's moment; return how many."""
        values = {"moments": list(older.values()), "newsletters": list(older)}
        counted, change = SignupRequestRow, AddressChangeRow
        with transaction(self._engine) as session:
            session.exec(delete(counted).where(col(counted.at) <= at - DAY))
            session.exec(delete(change).where(col(change.expires_at) <= at))
            return execute(session, _DELETE_EXPIRED, values)

    def is_writable(self, email_key: str) -> bool:
        """Return whether something may be mailed to this address about its own request."""
        with transaction(self._engine) as session:
            return _is_writable(session, email_key)


def _is_writable(session: Session, key: str) -> bool:
    """Return whether a confirmation may be mailed: also to who can lift the suppression by it."""
    found = session.get(SuppressionRow, key)
    return found is None or found.reason in LIFTED_BY_OWNER


def _subscribed(session: Session, attempt: SignUpAttempt) -> int | None:
    values = {"key": attempt.address.key, "newsletter": attempt.newsletter}
    return scalar(session, _SUBSCRIBED, values)


def _waiting(session: Session, attempt: SignUpAttempt) -> int | None:
    row = SignupRow
    waiting = select(row.id).where(
        row.email_key == attempt.address.key,
        row.newsletter == attempt.newsletter,
        row.expires_at > attempt.at,
    )
    return session.exec(waiting).first()


def _requested(attempt: SignUpAttempt, wanted: Wanted, proof: ConsentProof) -> dict[str, Any]:
    """Return what is stored of a request; `requests` becomes its proof of consent."""
    choice = {
        "frequency": wanted.frequency.value,
        "topics": sorted(wanted.topics.slugs),
        "zone": wanted.zone,
    }
    request = choice | {
        "agent": proof.agent,
        "at": attempt.at.isoformat(),
        "email": wanted.email,
        "form": proof.form,
        "ip": proof.ip,
        "text": _hash(proof.consent_text) if proof.consent_text else "",
        "version": proof.version,
        "via": proof.via,
    }
    return choice | {
        "at": attempt.at,
        "email": attempt.address.email,
        "key": attempt.address.key,
        "name": wanted.name,
        "network": attempt.network,
        "newsletter": attempt.newsletter,
        "requests": Jsonb([request]),
    }


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _reopen_address(session: Session, key: str, at: datetime) -> None:
    """Forget an erasure, and lift what its owner's confirmation answers."""
    execute(session, _FORGET_ERASURE, {"key": key})
    lift(session, key, LIFTED_BY_OWNER, at=at)


def _confirmed(row: SubscriptionRow, *, now: bool) -> Confirmed:
    return Confirmed(
        newsletter=row.newsletter,
        subscription_id=row.id,
        subscriber_id=row.subscriber_id,
        now=now,
    )
