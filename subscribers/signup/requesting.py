"""Asking for a sign-up or an address change, within the limits.

Limits count keyed hashes, which are deleted after a day.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from subscribers.db.record_tables import ConsentTextRow, SignupRequestRow, SignupRow
from subscribers.db.tables import SubscriberRow, SuppressionRow
from subscribers.db.transaction import execute, scalar
from subscribers.model import Choices
from subscribers.signup.model import (
    DAY,
    HOUR,
    LIFTED_BY_OWNER,
    ConsentProof,
    SignUpAttempt,
    SignUpRequested,
    may_mail,
)

# Two attempts at once wait for each other here, so that a limit is one.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(encode(%(name)s, 'hex'), 0))"

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


def request(
    session: Session,
    attempt: SignUpAttempt,
    choices: Choices,
    proof: ConsentProof,
    *,
    expires_at: datetime,
) -> SignUpRequested:
    """Store a sign-up, unless a limit, a suppression or a subscription forbids it."""
    if _network_is_over(session, attempt) or not is_writable(session, attempt.address.key):
        return SignUpRequested()
    mail = _count_mail(session, attempt)
    if subscription_id := _subscribed(session, attempt):
        return SignUpRequested(subscription_id=subscription_id if mail else None)
    values = _requested(attempt, choices, proof) | {"mails": int(mail), "expires_at": expires_at}
    number = scalar(session, _REQUEST, values)
    if text := proof.consent_text:
        first = {"hash": _hash(text), "text": text, "first_used_at": attempt.at}
        session.exec(insert(ConsentTextRow).values(first).on_conflict_do_nothing())
    return SignUpRequested(signup_id=number if mail else None)


def resend(session: Session, attempt: SignUpAttempt) -> SignUpRequested:
    if _network_is_over(session, attempt):
        return SignUpRequested()
    subscription_id = _subscribed(session, attempt)
    waiting = _waiting(session, attempt)
    known = subscription_id or waiting
    if not (known and is_writable(session, attempt.address.key) and _count_mail(session, attempt)):
        return SignUpRequested()
    if subscription_id or waiting is None:
        return SignUpRequested(subscription_id=subscription_id)
    row = SignupRow
    mailed = {"mailed_at": attempt.at, "mails": row.mails + 1}
    session.exec(update(row).where(col(row.id) == waiting).values(mailed))
    return SignUpRequested(signup_id=waiting)


def request_address_change(
    session: Session, attempt: SignUpAttempt, subscriber_id: int, *, expires_at: datetime
) -> int | None:
    address, row = attempt.address, SubscriberRow
    holder = select(row.id).where(row.email_key == address.key, col(row.merged_into).is_(None))
    if session.exec(holder).first() == subscriber_id or not is_writable(session, address.key):
        return None
    mail = _count_mail(session, attempt)
    values = {
        "at": attempt.at,
        "email": address.email,
        "expires_at": expires_at,
        "key": address.key,
        "subscriber": subscriber_id,
    }
    number = scalar(session, _REQUEST_ADDRESS, values)
    return number if mail else None


def is_writable(session: Session, key: str) -> bool:
    """Return whether a confirmation may be mailed: also to who can lift the suppression by it."""
    found = session.get(SuppressionRow, key)
    return found is None or found.reason in LIFTED_BY_OWNER


def _network_is_over(session: Session, attempt: SignUpAttempt) -> bool:
    """Count this attempt for its network, unless that has signed up too often."""
    if not attempt.network:
        return False
    counted = _counted(session, attempt.signups, attempt.at - HOUR)
    if len(counted) >= attempt.limits.signups_an_hour:
        return True
    session.add(SignupRequestRow(counted_as=attempt.signups, at=attempt.at))
    return False


def _count_mail(session: Session, attempt: SignUpAttempt) -> bool:
    """Count an email to this address; return False when it has had enough."""
    mailed = _counted(session, attempt.mails, attempt.at - DAY)
    if not may_mail(mailed, attempt.limits, attempt.at, again=attempt.again):
        return False
    session.add(SignupRequestRow(counted_as=attempt.mails, at=attempt.at))
    return True


def _counted(session: Session, name: bytes, since: datetime) -> Sequence[datetime]:
    execute(session, _LOCK, {"name": name})
    row = SignupRequestRow
    return session.exec(select(row.at).where(row.counted_as == name, col(row.at) > since)).all()


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


def _requested(attempt: SignUpAttempt, choices: Choices, proof: ConsentProof) -> dict[str, Any]:
    """Return what is stored of a request; `requests` becomes its proof of consent."""
    chosen: dict[str, Any] = {
        "frequency": choices.frequency.value,
        "topics": sorted(choices.topics.slugs),
        "zone": choices.zone,
    }
    request = chosen | asdict(proof) | {"at": attempt.at.isoformat()}
    text = request.pop("consent_text")
    request["text"] = _hash(text) if text else ""
    return chosen | {
        "at": attempt.at,
        "email": attempt.address.email,
        "key": attempt.address.key,
        "name": choices.name,
        "network": attempt.network,
        "newsletter": attempt.newsletter,
        "requests": Jsonb([request]),
    }


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
