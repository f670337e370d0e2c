"""Telling operators by the log: the least that anybody gets."""

import logging

from newsletter.core.operator_alert import OperatorAlert

_log = logging.getLogger(__name__)


def log_notice(notice: OperatorAlert) -> None:
    """Write a notice into the log."""
    action = f"notice.{notice.kind.name.lower()}"
    _log.warning(
        "%s of %s, %s: %s",
        notice.newsletter,
        notice.date,
        notice.kind,
        notice.sentence,
        extra={"action": action, "newsletter": notice.newsletter, "date": notice.date},
    )
