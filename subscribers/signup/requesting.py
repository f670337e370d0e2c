"""Asking for a sign-up or an address change, within the limits.

What is asked for is stored before it is mailed: a row that a letter was queued for keeps what it
was made for, and is replaced by another one.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from subscribers.db.record_tables import ConsentTextRow, SignupRow
from subscribers.db.tables import SubscriberRow, SuppressionRow
from subscribers.db.transaction import execute, scalar
from subscribers.model import Choices
from subscribers.signup.counting import admit, admit_from_network, count_mail
from subscribers.signup.model import (
    DAY,
    LIFTED_BY_OWNER,
    AddressChangeRequested,
    ConsentProof,
    SignUpAttempt,
    SignUpRequested,
)

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

# A new address gets a row, and so a link, of its own: the letter queued for another one is dropped,
# and the link mailed elsewhere does not confirm it. Each subscriber's requests come one by one.
_REPLACE_OTHERS = """
UPDATE address_change SET replaced_at = %(at)s
WHERE subscriber_id = %(subscriber)s AND email_key <> %(key)s AND replaced_at IS NULL
"""
_REQUEST_ADDRESS = """
INSERT INTO address_change AS old (subscriber_id, email, email_key, asked_at, expires_at)
VALUES (%(subscriber)s, %(email)s, %(key)s, %(at)s, %(expires_at)s)
ON CONFLICT (subscriber_id) WHERE replaced_at IS NULL
DO UPDATE SET email = excluded.email, expires_at = excluded.expires_at
RETURNING id
"""

_SUBSCRIPTION_OF = """
SELECT subscription.id
FROM subscription JOIN subscriber ON subscriber.id = subscriber_id
WHERE email_key = %(key)s AND status = 'active' AND newsletter = ANY(%(newsletters)s)
  AND NOT EXISTS (SELECT FROM suppression WHERE suppression.email_key = subscriber.email_key)
ORDER BY subscription.id LIMIT 1
"""

# Its link works again, as long as it did at first.
_RENEW_SIGNUP = """
UPDATE signup SET mailed_at = %(at)s, mails = mails + 1, expires_at = %(at)s + lasts.long
FROM unnest(%(newsletters)s::text[], %(lasts)s::interval[]) AS lasts (newsletter, long)
WHERE signup.newsletter = lasts.newsletter AND id = (
    SELECT id FROM signup WHERE email_key = %(key)s AND newsletter = ANY(%(newsletters)s)
    ORDER BY asked_at DESC LIMIT 1)
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
    admit_from_network(session, attempt)
    if not is_writable(session, attempt.address.key):
        return SignUpRequested()
    mail = count_mail(session, attempt)
    if subscription_id := _subscribed(session, attempt):
        return SignUpRequested(subscription_id=subscription_id if mail else None)
    values = _requested(attempt, choices, proof) | {"mails": int(mail), "expires_at": expires_at}
    number = scalar(session, _REQUEST, values)
    if text := proof.consent_text:
        first = {"hash": _hash(text), "text": text, "first_used_at": attempt.at}
        session.exec(insert(ConsentTextRow).values(first).on_conflict_do_nothing())
    return SignUpRequested(signup_id=number if mail else None)


def resend(session: Session, attempt: SignUpAttempt) -> SignUpRequested:
    admit_from_network(session, attempt)
    subscription_id = _subscribed(session, attempt)
    waiting = _waiting(session, attempt)
    known = subscription_id or waiting
    if not (known and is_writable(session, attempt.address.key) and count_mail(session, attempt)):
        return SignUpRequested()
    if subscription_id or waiting is None:
        return SignUpRequested(subscription_id=subscription_id)
    row = SignupRow
    mailed = {"mailed_at": attempt.at, "mails": row.mails + 1}
    session.exec(update(row).where(col(row.id) == waiting).values(mailed))
    return SignUpRequested(signup_id=waiting)


def request_address_change(
    session: Session, attempt: SignUpAttempt, subscriber_id: int, *, expires_at: datetime
) -> AddressChangeRequested:
    """Store a new address and replace the one asked for before; raise TooManyRequests."""
    address, row = attempt.address, SubscriberRow
    holder = select(row.id).where(row.email_key == address.key, col(row.merged_into).is_(None))
    if session.exec(holder).first() == subscriber_id:
        return AddressChangeRequested(is_theirs=True)
    admit_from_network(session, attempt)
    admit(
        session,
        attempt.changes,
        at_most=attempt.limits.address_changes_a_day,
        within=DAY,
        at=attempt.at,
    )
    # Whoever asks is not told whether the address is suppressed, or was mailed for others.
    if not (is_writable(session, address.key) and count_mail(session, attempt)):
        return AddressChangeRequested()
    values = {
        "at": attempt.at,
        "email": address.email,
        "expires_at": expires_at,
        "key": address.key,
        "subscriber": subscriber_id,
    }
    execute(session, _REPLACE_OTHERS, values)
    return AddressChangeRequested(change_id=scalar(session, _REQUEST_ADDRESS, values))


def request_link(
    session: Session, attempt: SignUpAttempt, lasts: Mapping[str, timedelta]
) -> SignUpRequested:
    """Return of what to mail the links to who lost them; `lasts` has the newsletters there are."""
    admit_from_network(session, attempt)
    if not (is_writable(session, attempt.address.key) and count_mail(session, attempt)):
        return SignUpRequested()
    values = {
        "at": attempt.at,
        "key": attempt.address.key,
        "newsletters": list(lasts),
        "lasts": list(lasts.values()),
    }
    if subscription_id := scalar(session, _SUBSCRIPTION_OF, values):
        return SignUpRequested(subscription_id=subscription_id)
    return SignUpRequested(signup_id=scalar(session, _RENEW_SIGNUP, values))


def is_writable(session: Session, key: str) -> bool:
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
