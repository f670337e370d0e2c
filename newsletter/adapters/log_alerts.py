"""Alerts in the log: the least that operators get."""

import logging

from newsletter.core.operator_alert import OperatorAlert

_log = logging.getLogger(__name__)


def log_alert(alert: OperatorAlert) -> None:
    """Write an alert into the log."""
    _log.warning(
        "%s of %s, %s: %s",
        alert.newsletter,
        alert.date,
        alert.kind,
        alert.sentence,
        extra={
            "action": f"alert.{alert.kind.name.lower()}",
            "newsletter": alert.newsletter,
            "date": alert.date,
        },
    )
