"""The outbox of webhooks: what is to be posted is claimed, and what became of it recorded.

See docs/decisions/webhooks-are-an-outbox.md.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from newsletter.core.operator_alert import OperatorAlert
from newsletter.core.webhook import EndpointState
from newsletter.core.webhook_delivery import (
    FAILING_NEEDS_ALERT,
    FAILURES,
    RESTS,
    SHOWN,
    WebhookAnswer,
    WebhookClaim,
    WebhookDisposition,
)
from newsletter.stores.webhooks import event_of
from subscribers.db.transaction import DatabaseStore, execute, rows, transaction

#: The oldest of an endpoint that may go: a few at once, and none while an earlier event of the same
#: subject is on its way. Each endpoint is looked at by itself, so that none waits behind another.
_DUE = """
    SELECT due.id
      FROM webhook_endpoint AS endpoint
     CROSS JOIN LATERAL (
           SELECT delivery.id, delivery.due_at FROM webhook_delivery AS delivery
            WHERE delivery.endpoint_id = endpoint.id AND delivery.state = 'waiting'
              AND delivery.due_at <= %(now)s
              AND NOT EXISTS (SELECT FROM webhook_delivery AS earlier
                               WHERE earlier.endpoint_id = delivery.endpoint_id
                                 AND earlier.subject = delivery.subject
                                 AND earlier.id < delivery.id
                                 AND earlier.state IN ('waiting', 'claimed'))
            ORDER BY delivery.due_at, delivery.id LIMIT 1) AS due
     WHERE endpoint.state = 'active'
       AND (endpoint.resting_until IS NULL OR endpoint.resting_until <= %(now)s)
       AND CASE WHEN endpoint.failures < %(failures)s THEN %(most)s ELSE 1 END >
                       (SELECT count(*) FROM webhook_delivery AS claimed
                        WHERE claimed.endpoint_id = endpoint.id AND claimed.state = 'claimed')
     ORDER BY due.due_at, due.id LIMIT 1
"""

_TAKE = """
    UPDATE webhook_delivery
       SET state = 'claimed', tries = tries + 1, lease_until = %(lease)s, tried_at = %(now)s
     WHERE id = %(id)s AND state = 'waiting'
    RETURNING id AS delivery_id, tries, endpoint_id, event_id
"""

#: `audience` is the subscribers' view; who was erased, or is merged, has no address there.
_CLAIMED = """
    SELECT endpoint.name AS endpoint, endpoint.url, endpoint.newsletters,
           array_remove(ARRAY[endpoint.secret,
                              CASE WHEN endpoint.former_until > %(now)s
                                   THEN endpoint.former_secret END], NULL) AS secrets,
           event.key, event.kind, event.newsletter, event.at, event.facts,
           CASE WHEN endpoint.addresses THEN
               (SELECT email FROM audience
                 WHERE subscriber_id = CAST(event.facts #>> '{reader,id}' AS bigint)
                   AND audience.newsletter = event.newsletter) END AS email
      FROM webhook_endpoint AS endpoint, webhook_event AS event
     WHERE endpoint.id = %(endpoint_id)s AND event.id = %(event_id)s
"""

_RECORD = """
    UPDATE webhook_delivery
       SET state = %(state)s, due_at = COALESCE(%(due)s, due_at), lease_until = NULL,
           status = %(status)s, reason = %(reason)s, answer = %(answer)s
     WHERE id = %(id)s AND state = 'claimed' AND tries = %(tries)s
"""

_SET_ENDPOINT = """
    UPDATE webhook_endpoint SET state = %(endpoint_state)s, reason = %(why)s
     WHERE id = %(endpoint)s AND state <> %(endpoint_state)s
"""

#: What an endpoint answers is counted over all that is posted to it.
_TOOK = """
    UPDATE webhook_endpoint SET failures = 0, failing_since = NULL, resting_until = NULL
     WHERE id = %(endpoint)s AND failures > 0
"""
_FAILED = """
    UPDATE webhook_endpoint
       SET failures = failures + 1, failing_since = COALESCE(failing_since, %(now)s),
           resting_until = %(now)s::timestamptz + interval '1 second' *
               (%(rests)s::float[])[LEAST(failures + 2 - %(failures)s, cardinality(%(rests)s))]
     WHERE id = %(endpoint)s
    RETURNING failing_since
"""

_ALERT = """
    INSERT INTO operator_alert (at, newsletter, date, kind, sentence)
    SELECT %(now)s, %(newsletter)s, %(date)s, %(kind)s, %(sentence)s
     WHERE NOT EXISTS (SELECT FROM operator_alert
                        WHERE newsletter = %(newsletter)s AND date = %(date)s AND kind = %(kind)s
                          AND sentence = %(sentence)s)
"""

#: Whoever had it never recorded an answer: it may have arrived, and is posted again.
_EXPIRE = """
    UPDATE webhook_delivery SET state = 'waiting', lease_until = NULL, status = NULL, answer = '',
           reason = 'the process that posted it never recorded an answer'
     WHERE state = 'claimed' AND lease_until < %(now)s
"""

_ADD_PING = """
    WITH recorded AS (
        INSERT INTO webhook_event (kind, subject, at) VALUES ('ping', 'ping', %(now)s)
        RETURNING id)
    INSERT INTO webhook_delivery (endpoint_id, event_id, subject)
    SELECT %(endpoint)s, id, 'ping' FROM recorded
    RETURNING id
"""

_GIVE_UP_PAUSED = """
    UPDATE webhook_delivery
       SET state = 'given up', reason = 'its endpoint was paused, or took nothing, for too long'
      FROM webhook_event AS event, webhook_endpoint AS endpoint
     WHERE event.id = event_id AND endpoint.id = endpoint_id
       AND (endpoint.state = 'paused' OR endpoint.failures >= %(failures)s)
       AND webhook_delivery.state = 'waiting' AND event.at < %(before)s
"""

_DELETE_OLD = """
    DELETE FROM webhook_delivery WHERE id IN (
        SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY endpoint_id ORDER BY id DESC)
                                   AS place
                          FROM webhook_delivery WHERE state IN ('delivered', 'given up')) AS over
         WHERE place > %(shown)s)
"""

_DELETE_EVENTS = """
    DELETE FROM webhook_event
     WHERE NOT EXISTS (SELECT FROM webhook_delivery WHERE event_id = webhook_event.id)
"""


class WebhookOutbox(DatabaseStore):
    """Stores which event is on its way to which endpoint, and what was answered."""

    def claim(self, now: datetime, lease: timedelta, *, most: int) -> WebhookClaim | None:
        """Take the next delivery that is due; None if there is none.

        No endpoint has more than `most` under way at once.
        """
        with transaction(self._engine) as session:
            values = {"now": now, "lease": now + lease, "most": most, "failures": FAILURES}
            for due in rows(session, _DUE, values):
                for taken in rows(session, _TAKE, values | due):
                    [found] = rows(session, _CLAIMED, values | taken)
                    return _claim(taken | found)
            return None

    def claim_ping(self, endpoint_id: int, now: datetime, lease: timedelta) -> WebhookClaim:
        """Add a ping, and take it at once, also where the endpoint is paused."""
        values: dict[str, Any] = {"now": now, "lease": now + lease, "endpoint": endpoint_id}
        with transaction(self._engine) as session:
            [ping] = rows(session, _ADD_PING, values)
            [taken] = rows(session, _TAKE, values | ping)
            [found] = rows(session, _CLAIMED, values | taken)
            return _claim(taken | found)

    def record(
        self,
        claim: WebhookClaim,
        answer: WebhookAnswer,
        disposition: WebhookDisposition,
        now: datetime,
        alert: OperatorAlert | None = None,
    ) -> bool:
        """Record an answer with what follows from it; False if the lease was over by then.

        Operators get the alert once the delivery is given up, or its endpoint failed for long.
        """
        values = _values(claim, answer, disposition, now)
        with transaction(self._engine) as session:
            if not execute(session, _RECORD, values):
                return False
            if disposition.endpoint_state:
                execute(session, _SET_ENDPOINT, values)
            since = _counted(session, claim, answer, values)
            failing = since is not None and since <= now - FAILING_NEEDS_ALERT
            if alert and (failing or disposition.state.is_over):
                execute(session, _ALERT, {"now": now, **asdict(alert)})
        return True

    def drop(self, claim: WebhookClaim) -> None:
        """Forget a delivery that its endpoint did not ask for."""
        self._execute("DELETE FROM webhook_delivery WHERE id = %(id)s", id=claim.delivery_id)

    def expire_leases(self, now: datetime) -> int:
        """Let be posted again what dead processes had in hand; return how many."""
        return self._execute(_EXPIRE, now=now)

    def delete_old(self, paused_before: datetime) -> None:
        """Give up what waits for a paused or failing endpoint since then, and delete the old."""
        self._execute(_GIVE_UP_PAUSED, before=paused_before, failures=FAILURES)
        self._execute(_DELETE_OLD, shown=SHOWN)
        self._execute(_DELETE_EVENTS)


def _counted(
    session: Session, claim: WebhookClaim, answer: WebhookAnswer, values: Mapping[str, Any]
) -> datetime | None:
    """Count what an endpoint answered; return since when it takes nothing, None if it does."""
    if answer.is_success:
        execute(session, _TOOK, values)
    elif not claim.is_trial:
        for found in rows(session, _FAILED, values):
            return found["failing_since"]
    return None


def _values(
    claim: WebhookClaim, answer: WebhookAnswer, disposition: WebhookDisposition, now: datetime
) -> dict[str, Any]:
    ends = disposition.endpoint_state is EndpointState.PAUSED
    return {
        "id": claim.delivery_id,
        "tries": claim.tries,
        "state": disposition.state.value,
        "due": None if disposition.pause is None else now + disposition.pause,
        "status": answer.status,
        "reason": answer.reason,
        "answer": answer.body,
        "endpoint": claim.endpoint_id,
        "now": now,
        "failures": FAILURES,
        "rests": [rest.total_seconds() for rest in RESTS],
        "endpoint_state": disposition.endpoint_state and disposition.endpoint_state.value,
        "why": answer.reason if ends else "",
    }


def _claim(row: Mapping[str, Any]) -> WebhookClaim:
    return WebhookClaim(
        delivery_id=row["delivery_id"],
        tries=row["tries"],
        endpoint_id=row["endpoint_id"],
        endpoint=row["endpoint"],
        url=row["url"],
        secrets=tuple(row["secrets"]),
        newsletters=frozenset(row["newsletters"]),
        event=event_of(row),
        email=row["email"],
    )
