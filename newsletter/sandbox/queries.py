"""Parser of Email Logs queries, as documented and no other way.

Conditions on seven fields, each with its operators, are joined with AND; words are case-sensitive
and nothing nests (OAS, EmailLogsGetMessagesByFilterRequest). How to write a quote within quotes is
not documented, so it is refused.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from newsletter.sandbox.routing import BadRequest

_EQUAL = ("sg_message_id", "subject", "to_email", "reason")
_AMONG = ("status", "categories")
_CREATED = "sg_message_id_created_at"
STATUSES = ("processed", "delivered", "deferred", "dropped", "bounced", "blocked")  # OAS

_STRING = r"'[^'\"\\]*'"
_CONDITION = re.compile(
    rf"\s*(?P<field>[a-z_]+)\s*(?:"
    rf"(?P<equal>=)\s*(?P<value>{_STRING})"
    rf"|(?P<among>\bIN)\s*\(\s*(?P<values>{_STRING}(?:\s*,\s*{_STRING})*)\s*\)"
    rf"|(?P<order><=|>=|<|>)\s*TIMESTAMP\s+\"(?P<moment>[^\"]*)\""
    rf")\s*"
)
_AND = re.compile(r"\bAND\b")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})")


@dataclass(frozen=True, kw_only=True)
class LogCondition:
    """One condition: a field, an operator, and what it compares with."""

    field: str
    operator: str  #: "=", "IN", "<", ">", "<=" or ">="
    values: tuple[str, ...] = ()
    seconds: float = 0.0  #: since the epoch


def read_query(query: str) -> list[LogCondition]:
    """Return the conditions; BadRequest names the part that cannot be read."""
    conditions: list[LogCondition] = []
    at = 0
    while True:
        found = _CONDITION.match(query, at)
        if not found:
            raise BadRequest(f"invalid query near: {query[at : at + 40]!r}")
        conditions.append(_condition(found))
        if found.end() == len(query):
            return conditions
        joined = _AND.match(query, found.end())
        if not joined:
            raise BadRequest("conditions are joined with AND")
        at = joined.end()


def _condition(found: re.Match[str]) -> LogCondition:
    field = found["field"]
    if found["equal"] and field in _EQUAL:
        return LogCondition(field=field, operator="=", values=(found["value"][1:-1],))
    if found["among"] and field in _AMONG:
        values = tuple(one[1:-1] for one in re.findall(_STRING, found["values"]))
        if field == "status" and not set(values) <= set(STATUSES):
            raise BadRequest(f"status is one of {', '.join(STATUSES)}")
        return LogCondition(field=field, operator="IN", values=values)
    if found["order"] and field == _CREATED:
        return LogCondition(field=field, operator=found["order"], seconds=_seconds(found["moment"]))
    raise BadRequest(f"{field} cannot be filtered so")


def _seconds(text: str) -> float:
    if not _MOMENT.fullmatch(text):
        raise BadRequest(f"{text!r} is not an ISO 8601 timestamp")
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError as error:
        raise BadRequest(f"{text!r} is not an ISO 8601 timestamp") from error
