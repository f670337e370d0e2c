"""Confirming a sign-up: its subscription begins or begins anew, and its consent is recorded."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, update
from sqlmodel import Session, col

from subscribers.db.pending import apply_pending_of
from subscribers.db.record_tables import ChangeRow, ConfirmationRow, SignupRow
from subscribers.db.statements import ADD_SUBSCRIPTION, erasure_hash, topic_set_id
from subscribers.db.suppressions import lift
from subscribers.db.tables import ConsentRow, SubscriptionRow
from subscribers.db.transaction import execute, rows, scalar
from subscribers.model import ConsentAct, SubscriptionStatus, TopicSet
from subscribers.signup.model import LIFTED_BY_OWNER, Confirmed, ConsentProof

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

_CLEARED = ("ended_at", "paused_at", "paused_until", "asked_at", "merged_into_subscriber_id")

_FORGET_ERASURE = f"DELETE FROM erasure WHERE hash = {erasure_hash('%(key)s')}"


def confirm(
    session: Session, signup_id: int, proof: ConsentProof, at: datetime
) -> Confirmed | None:
    """Make or revive the subscription asked for; return None if the sign-up is gone."""
    taken = delete(SignupRow).where(col(SignupRow.id) == signup_id).returning(SignupRow)
    signup = session.scalars(taken).first()
    if signup is None:
        return None
    row = _subscribe(session, signup, at)
    _record_consent(session, signup, row.subscriber_id, proof, at)
    reopen_address(session, signup.email_key, at)
    link_key = signup.link_key
    session.add(
        ConfirmationRow(signup_id=signup_id, subscription_id=row.id, link_key=link_key, at=at)
    )
    return confirmed(row, now=True)


def confirmed(row: SubscriptionRow, *, now: bool) -> Confirmed:
    return Confirmed(
        newsletter=row.newsletter,
        subscription_id=row.id,
        subscriber_id=row.subscriber_id,
        link_key=row.link_key,
        status=SubscriptionStatus(row.status),
        now=now,
    )


def reopen_address(session: Session, key: str, at: datetime) -> None:
    """Forget an erasure, and lift what its owner's confirmation answers."""
    execute(session, _FORGET_ERASURE, {"key": key})
    lift(session, key, LIFTED_BY_OWNER, at=at)


def _subscribe(session: Session, signup: SignupRow, at: datetime) -> SubscriptionRow:
    values: dict[str, Any] = signup.model_dump() | {"at": at, "created_at": at, "status": "active"}
    values["source"] = signup.evidence["requests"][-1]["via"]
    values["subscriber_id"] = scalar(session, _SUBSCRIBER, values)
    values["topic_set_id"] = topic_set_id(session, TopicSet.of(signup.topics))
    apply_pending_of(session, [values["subscriber_id"]])
    before = rows(session, _BEFORE, values)
    execute(session, ADD_SUBSCRIPTION, values)
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
    row = SubscriptionRow
    begun = update(row).where(
        col(row.subscriber_id) == values["subscriber_id"],
        col(row.newsletter) == values["newsletter"],
    )
    begun = begun.values(
        **{name: values[name] for name in ("topic_set_id", "zone", "frequency", "status")},
        **dict.fromkeys(_CLEARED),
        engaged_on=func.greatest(row.engaged_on, values["at"].date()),
    )
    return session.scalars(begun.returning(row)).one()


def _record_consent(
    session: Session, signup: SignupRow, subscriber_id: int, proof: ConsentProof, at: datetime
) -> None:

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
    about = signup.model_dump(include={"email", "frequency", "topics", "zone"}) | {
        "agent": proof.agent,
        "form": proof.form,
        "ip": proof.ip,
        "signup": signup.id,
        "text": requests[-1]["text"],
    }
    record(ConsentAct.CONFIRMED, at, proof.via, about)
