"""The last report of what was looked at before going live: one row, which all processes share."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import orjson

from newsletter.core.setup_finding import SetupArea, SetupFinding, SetupGrade
from newsletter.core.setup_report import SetupReport
from subscribers.db.transaction import DatabaseStore

_FIND = "SELECT findings, checked_at, checked_by, begun_at, begun_by FROM setup_report"

#: A look whose process died is over when nobody can be waiting for it any more.
_BEGIN = """
    INSERT INTO setup_report (id, findings, checked_by, begun_at, begun_by)
    VALUES (1, '[]', '', %(now)s, %(by)s)
    ON CONFLICT (id) DO UPDATE SET begun_at = excluded.begun_at, begun_by = excluded.begun_by
     WHERE setup_report.begun_at IS NULL OR setup_report.begun_at < %(dead)s
"""

_END = """
    UPDATE setup_report
       SET findings = %(findings)s, checked_at = %(now)s, checked_by = begun_by,
           begun_at = NULL, begun_by = ''
     WHERE begun_at = %(begun)s
"""


class SetupReportStore(DatabaseStore):
    """Stores the last report, and who is making the next one."""

    def find(self) -> SetupReport | None:
        """Return the report; None where nobody ever asked for one."""
        return next(map(_report, self._rows(_FIND)), None)

    def begin(self, by: str, now: datetime, *, longest: timedelta) -> bool:
        """Note that somebody looks; False while somebody else does."""
        return self._execute(_BEGIN, by=by, now=now, dead=now - longest) == 1

    def end(self, begun: datetime, findings: Iterable[SetupFinding], now: datetime) -> None:
        """Store what the look that began then found, unless another one took its place."""
        text = orjson.dumps([_stored(one) for one in findings]).decode()
        self._execute(_END, begun=begun, findings=text, now=now)


def _stored(one: SetupFinding) -> dict[str, Any]:
    return {
        "area": one.area.value,
        "subject": one.subject,
        "grade": one.grade.value,
        "sentence": one.sentence,
        "cure": one.cure,
    }


def _report(row: dict[str, Any]) -> SetupReport:
    findings = tuple(map(_finding, row.pop("findings")))
    return SetupReport(findings=findings, **row)


def _finding(stored: dict[str, Any]) -> SetupFinding:
    area, grade = SetupArea(stored.pop("area")), SetupGrade(stored.pop("grade"))
    return SetupFinding(area=area, grade=grade, **stored)
