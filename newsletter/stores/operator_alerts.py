"""Operator alerts as people work them off: who has one, and whether its cause is still there."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from newsletter.core.alert_state import AlertCause, StoredAlert
from newsletter.core.operator_alert import ABOUT_ACCOUNT, ALL, OperatorAlert, OperatorAlertKind
from newsletter.core.stored import IssueStatus
from subscribers.db.transaction import DatabaseStore

LOOK_BACK = timedelta(days=31)

#: The name of a source stands in the alert's sentence, and nowhere else.
_ALERTS = """
    SELECT alert.id, alert.at, alert.newsletter, alert.date, alert.kind, alert.sentence,
           alert.acknowledged_by, alert.acknowledged_at, alert.closed_by, alert.closed_at,
           alert.notified_channels, alert.sent_at,
           issue.state,
           issue.unreached_since IS NOT NULL AND issue.state IN ('sending', 'paused') AS unreached,
           (SELECT count(*) FROM batch
             WHERE batch.issue_id = issue.id AND batch.state = 'unknown') AS unknown,
           EXISTS (SELECT FROM polled_source AS polled
                    WHERE polled.newsletter = alert.newsletter
                      AND CASE alert.kind WHEN %(source_quiet)s THEN polled.news_at < alert.at
                          ELSE polled.failing_since IS NOT NULL END
                      AND starts_with(alert.sentence, 'the source ' || polled.source || ' '))
           AS source_down,
           EXISTS (SELECT FROM operator_alert AS later
                    WHERE later.id > alert.id AND later.kind = %(reactivated)s) AS reactivated,
           EXISTS (SELECT FROM operator_alert AS later
                    WHERE later.id > alert.id AND later.newsletter = alert.newsletter
                      AND later.date = alert.date AND later.kind = alert.kind
                      AND (alert.kind NOT IN (%(source_down)s, %(source_quiet)s)
                           OR later.sentence = alert.sentence))
           AS repeated
      FROM operator_alert AS alert
           LEFT JOIN issue ON issue.newsletter = alert.newsletter AND issue.date = alert.date
"""
_RECENT = f"""{_ALERTS}
     WHERE alert.at >= %(since)s AND alert.closed_at IS NULL
       AND alert.newsletter IN (%(newsletter)s, %(all)s)
     ORDER BY alert.id DESC
"""
_LISTED = f"""{_ALERTS}
     WHERE alert.newsletter = ANY(%(newsletters)s::text[])
       AND (%(before)s::bigint IS NULL OR alert.id < %(before)s)
     ORDER BY alert.id DESC LIMIT %(limit)s
"""
_ONE = f"{_ALERTS} WHERE alert.id = %(id)s"

#: Whoever takes it first has it.
_ACKNOWLEDGE = """
    UPDATE operator_alert SET acknowledged_by = %(actor)s, acknowledged_at = %(now)s
     WHERE id = %(id)s AND acknowledged_at IS NULL AND closed_at IS NULL
"""

_CLOSE = """
    UPDATE operator_alert SET closed_by = %(actor)s, closed_at = %(now)s
     WHERE id = %(id)s AND closed_at IS NULL
"""

_KINDS = {
    "reactivated": OperatorAlertKind.ACCOUNT_REACTIVATED.value,
    "source_down": OperatorAlertKind.SOURCE_DOWN.value,
    "source_quiet": OperatorAlertKind.SOURCE_QUIET.value,
}


class OperatorAlertStore(DatabaseStore):
    """Reads alerts with what is there of their causes, and stores who took or closed one."""

    def unclosed(self, newsletter: str, now: datetime) -> tuple[StoredAlert, ...]:
        """Return the alerts of a newsletter that nobody closed, the newest first."""
        values = {"newsletter": newsletter, "since": now - LOOK_BACK, "all": ALL}
        return tuple(_alert(row) for row in self._rows(_RECENT, **values, **_KINDS))

    def listed(
        self, newsletters: Collection[str], before: int | None, limit: int
    ) -> tuple[StoredAlert, ...]:
        """Return the alerts of these newsletters and of all, whatever became of them."""
        values = {"newsletters": [*newsletters, ALL], "before": before, "limit": limit}
        return tuple(_alert(row) for row in self._rows(_LISTED, **values, **_KINDS))

    def find(self, alert_id: int) -> StoredAlert | None:
        found = self._rows(_ONE, id=alert_id, **_KINDS)
        return _alert(found[0]) if found else None

    def acknowledge(self, alert_id: int, actor: str, now: datetime) -> bool:
        """Record who takes care of an alert; False if somebody does, or if it is closed."""
        return self._execute(_ACKNOWLEDGE, id=alert_id, actor=actor, now=now) > 0

    def close(self, alert_id: int, actor: str, now: datetime) -> bool:
        return self._execute(_CLOSE, id=alert_id, actor=actor, now=now) > 0


def _alert(row: dict[str, Any]) -> StoredAlert:
    kind = OperatorAlertKind(row["kind"])
    alert = OperatorAlert(
        kind=kind, newsletter=row["newsletter"], date=row["date"], sentence=row["sentence"]
    )
    cause = AlertCause(
        state=IssueStatus(row["state"]) if row["state"] else None,
        unreached=bool(row["unreached"]),
        unknown=row["unknown"],
        source_down=row["source_down"],
        reactivated=row["reactivated"],
        # SendGrid's account has a status, not days: the latest alert about it counts.
        repeated=row["repeated"] and kind not in ABOUT_ACCOUNT,
    )
    names = ("id", "at", "acknowledged_by", "acknowledged_at", "closed_by", "closed_at", "sent_at")
    values = {name: row[name] for name in names}
    return StoredAlert(alert=alert, cause=cause, channels=tuple(row["notified_channels"]), **values)
