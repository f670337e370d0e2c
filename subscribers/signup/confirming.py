"""Confirming a sign-up: its subscription begins or begins anew, and its consent is recorded."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, update
from sqlmodel import Session, col

from subscribers.db.record_tables import ChangeRow, SignupRow
from subscribers.db.statements import topic_set_id, upsert_subscriptions
from subscribers.db.tables import ConsentRow, SubscriptionRow
from subscribers.db.transaction import execute, rows, scalar
from subscribers.model import ConsentAct, SubscriptionStatus, TopicSet
from subscribers.signup.model import ConsentProof

# Who confirms at an address of their own is themselves again, whoever they were merged into; what
# became the other one's of newsletters they do not confirm stays so.
_SUBSCRIBER = """
INSERT INTO subscriber AS old (email, email_key, name, created_at)
VALUES (%(email)s, %(email_key)s, %(name)s, %(at)s)
ON CONFLICT (email_key) DO UPDATE
SET name = CASE WHEN excluded.name = '' THEN old.name ELSE excluded.name END, merged_into = NULL
RETURNING id
"""

_BEFORE = """
SELECT jsonb_build_object('status', status, 'topics', slugs, 'zone', zone, 'frequency', frequency,
                          'paused', paused_at IS NOT NULL) AS before
FROM subscription JOIN topic_set ON topic_set.id = topic_set_id
WHERE subscriber_id = %(subscriber_id)s AND newsletter = %(newsletter)s AND undone_at IS NULL
FOR NO KEY UPDATE OF subscription
"""

_NEW = ("subscriber_id", "newsletter", "topic_set_id", "zone", "status", "created_at", "source")
_SUBSCRIPTION = upsert_subscriptions({name: f"%({name})s" for name in _NEW}, "")


def subscribe(session: Session, signup: SignupRow, at: datetime) -> SubscriptionRow:
    """Make the subscription that was asked for, or revive it; return it."""
    values: dict[str, Any] = signup.model_dump() | {"at": at, "created_at": at, "status": "active"}
    values["source"] = signup.evidence["requests"][-1]["via"]
    values["subscriber_id"] = scalar(session, _SUBSCRIBER, values)
    values["topic_set_id"] = topic_set_id(session, TopicSet.of(signup.topics))
    before = rows(session, _BEFORE, values)
    execute(session, _SUBSCRIPTION, values)
    if before:
        again = ChangeRow(
            subscriber_id=values["subscriber_id"],
            newsletter=signup.newsletter,
            at=at,
            actor="subscriber",
            what="signed up again",
            detail=before[0],
        )
        session.add(again)
    return _begin(session, values)


def _begin(session: Session, values: dict[str, Any]) -> SubscriptionRow:
    """Begin, or begin anew, a subscription as it was asked for.

    Confirming is as human an act as a click: nobody is asked the next day whether they still read.
    """
    row, at = SubscriptionRow, values["at"]
    begun = (
        update(row)
        .where(
            col(row.subscriber_id) == values["subscriber_id"],
            col(row.newsletter) == values["newsletter"],
        )
        .values(
            topic_set_id=values["topic_set_id"],
            zone=values["zone"],
            frequency=values["frequency"],
            status=SubscriptionStatus.ACTIVE.value,
            ended_at=None,
            paused_at=None,
            paused_until=None,
            asked_at=None,
            engaged_on=func.greatest(row.engaged_on, at.date()),
            merged_into_subscriber_id=None,
        )
        .returning(row)
    )
    return session.scalars(begun).one()


def record_consent(
    session: Session, signup: SignupRow, subscriber_id: int, proof: ConsentProof, at: datetime
) -> None:
    """Record each request, and the confirmation, as acts of consent."""

    def record(act: ConsentAct, when: datetime, source: str, detail: dict[str, Any]) -> None:
        session.add(
            ConsentRow(
                subscriber_id=subscriber_id,
                newsletter=signup.newsletter,
                at=when,
                act=act,
                source=source,
                detail=detail,
            )
        )
        session.flush()  # in this order

    requests = signup.evidence["requests"]
    for request in requests:
        about = {name: value for name, value in request.items() if name not in ("at", "via")}
        when = datetime.fromisoformat(request["at"])
        record(ConsentAct.REQUESTED, when, request["via"], about)
    about = {
        "agent": proof.agent,
        "email": signup.email,
        "form": proof.form,
        "frequency": signup.frequency,
        "ip": proof.ip,
        "signup": signup.id,
        "text": requests[-1]["text"],
        "topics": signup.topics,
        "zone": signup.zone,
    }
    record(ConsentAct.CONFIRMED, at, proof.via, about)
