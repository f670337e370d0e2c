"""What a sign-up writes down: the request as evidence, the subscription, and its consent."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from subscribers.signup import statements as sql
from subscribers.signup.model import ConsentProof, Wanted
from subscribers.signup.service import SignUpAttempt

_Cursor = Cursor[DictRow]


def required(cursor: _Cursor, query: bytes, values: Mapping[str, Any]) -> DictRow:
    """Return the row that a statement cannot but return."""
    row = cursor.execute(query, values).fetchone()
    assert row is not None
    return row


def asked_for(
    asking: SignUpAttempt, wanted: Wanted, evidence: ConsentProof, *, mail: bool
) -> dict[str, Any]:
    """Return what is kept of an asking; `mail` tells whether it is mailed."""
    digest = hashlib.sha256(evidence.consent_text.encode()).hexdigest()
    choice = {
        "frequency": wanted.frequency.value,
        "topics": sorted(wanted.topics.slugs),
        "zone": wanted.zone,
    }
    request = choice | {
        "agent": evidence.agent,
        "at": asking.at.isoformat(),
        "email": wanted.email,
        "form": evidence.form,
        "ip": evidence.ip,
        "text": digest if evidence.consent_text else "",
        "version": evidence.version,
        "via": evidence.via,
    }
    return choice | {
        "at": asking.at,
        "consent_text": evidence.consent_text,
        "email": asking.address.email,
        "hash": digest,
        "key": asking.address.key,
        "mails": int(mail),
        "name": wanted.name,
        "network": asking.network,
        "newsletter": asking.newsletter,
        "requests": Jsonb([request]),
    }


def subscribe(cursor: _Cursor, signup: DictRow, at: datetime) -> DictRow:
    """Make or revive the subscription; return its number and its subscriber's."""
    requests = signup["evidence"]["requests"]
    values = {**signup, "at": at, "on": at.date(), "source": requests[-1]["via"]}
    subscriber = required(cursor, sql.SUBSCRIBER, values)
    cursor.execute(sql.TOPIC_SET, values)
    values["subscriber"] = subscriber["id"]
    before = cursor.execute(sql.BEFORE, values).fetchone()
    row = required(cursor, sql.SUBSCRIBE, values)
    if before:
        cursor.execute(sql.CHANGE, {**values, "detail": Jsonb({"before": before["before"]})})
    return row


def show_consent(
    cursor: _Cursor, signup: DictRow, subscriber_id: int, evidence: ConsentProof, at: datetime
) -> None:
    """Keep each request, and the confirmation, as acts of consent."""
    said = {"newsletter": signup["newsletter"], "subscriber": subscriber_id}
    for request in signup["evidence"]["requests"]:
        about = {name: value for name, value in request.items() if name not in ("at", "via")}
        when = datetime.fromisoformat(request["at"])
        values = {"act": "requested", "at": when, "source": request["via"]}
        cursor.execute(sql.CONSENT, {**said, **values, "detail": Jsonb(about)})
    about = {
        "agent": evidence.agent,
        "email": signup["email"],
        "form": evidence.form,
        "frequency": signup["frequency"],
        "ip": evidence.ip,
        "signup": signup["id"],
        "text": signup["evidence"]["requests"][-1]["text"],
        "topics": signup["topics"],
        "zone": signup["zone"],
    }
    values = {"act": "confirmed", "at": at, "source": evidence.via}
    cursor.execute(sql.CONSENT, {**said, **values, "detail": Jsonb(about)})
