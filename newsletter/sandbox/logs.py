"""Email Logs: search accepted letters, and look one up.

In a query, conditions on seven fields, each with its operators, are joined with AND; words are
case-sensitive and nothing nests (OAS, EmailLogsGetMessagesByFilterRequest). How to write a quote
within quotes is not documented, so it is refused.
"""

import json
import math
import operator
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from newsletter.sandbox.events import Event, sg_message_id
from newsletter.sandbox.letters import DeliveredLetter, open_letters
from newsletter.sandbox.routing import CallError, Request, RequestContext, route
from newsletter.sandbox.rules import is_array, is_integer, is_object

_LIMIT, _MAX_LIMIT = 10, 1000  #: OAS
_MAX_EVENTS = 100  #: OAS
_RETENTION = 30 * 24 * 3600  #: seconds: 30 days
_PAGE = 500  #: recipients read at a time
_NEWEST = 2**62
_ID = re.compile(r"[\w-]{22}\.recvd-sandbox-(\d{1,18})\.(\d{1,4})").fullmatch
#: OAS, EmailLogsMessageStatus; an unsubscribe or a complaint does not change it
_STATUS = dict.fromkeys(("delivered", "open", "click"), "delivered") | {
    "processed": "processed", "dropped": "dropped", "deferred": "deferred", "bounce": "bounced",
}  # fmt: skip
_COMPARE = {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}

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


def _search(context: RequestContext, request: Request) -> dict[str, Any]:
    _check_access(context)
    conditions, limit = _parsed(request.body)
    lines = ((opened, _line(opened)) for opened in _logged(context, conditions))
    found = (line for o, line in lines if all(_holds(one, o, line) for one in conditions))
    return {"messages": list(islice(found, limit))}


def _look_up(context: RequestContext, _: Request, message_id: str) -> dict[str, Any]:
    _check_access(context)
    place = _ID(message_id)
    entry = context.store.placed(int(place[1]), int(place[2])) if place else None
    for opened in open_letters(context, [entry] if entry else []):
        line = _line(opened)
        oldest, newest = _window(context)
        shown = oldest <= opened.request.accepted <= newest
        if shown and line["sg_message_id"] == message_id:
            return _detail(opened, line)
    raise CallError(404)


def _check_access(context: RequestContext) -> None:
    if not context.config.logs:
        raise CallError(403, "access forbidden")
    if not context.logs_limit.admits(context.config.logs_per_minute):
        raise CallError(429)


def _parsed(body: bytes) -> tuple[list[LogCondition], int]:
    """Return conditions and limit of a search; CallError names what is wrong with it."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise CallError(400, "the body is not JSON") from error
    if not is_object(asked) or not asked.keys() <= {"query", "limit", "subusers"}:
        raise CallError(400, "the body is an object of query, limit and subusers")
    limit, query = asked.get("limit", _LIMIT), asked.get("query", "")
    if not is_integer(limit) or not 1 <= limit <= _MAX_LIMIT:
        raise CallError(400, f"limit must be between 1 and {_MAX_LIMIT}")
    if not isinstance(query, str):
        raise CallError(400, "query must be a string")
    return read_query(query) if "query" in asked else [], limit


def _logged(context: RequestContext, conditions: list[LogCondition]) -> Iterator[DeliveredLetter]:
    """Yield letters that may meet the conditions, newest first."""
    to = next((one.values[0] for one in conditions if one.field == "to_email"), "")
    oldest, newest = _window(context)
    after = _NEWEST
    while entries := context.store.logged(to, math.ceil(oldest), int(newest), after, _PAGE):
        yield from open_letters(context, entries)
        after = entries[-1].id


def _window(context: RequestContext) -> tuple[float, float]:
    """Return the oldest and the newest time that Email Logs show now."""
    now = time.time()
    return now - _RETENTION, now - context.config.logs_delay


def _holds(condition: LogCondition, opened: DeliveredLetter, line: dict[str, Any]) -> bool:
    if compare := _COMPARE.get(condition.operator):
        return compare(opened.request.accepted, condition.seconds)
    if condition.field == "categories":
        return bool({*condition.values} & {*opened.request.message.get("categories", ())})
    return line.get(condition.field) in condition.values


def _line(opened: DeliveredLetter) -> dict[str, Any]:
    line = {
        "from_email": opened.from_["email"],
        "sg_message_id": sg_message_id(opened.request, opened.recipient.place),
        "subject": opened.subject,
        "to_email": opened.to,
        "status": _status(opened.events),
        "sg_message_id_created_at": datetime.fromtimestamp(
            opened.request.accepted, UTC
        ).isoformat(),
    }
    given = (event.get("reason") or event.get("response") for event in reversed(opened.events))
    reason = next(filter(None, given), None)
    return line | ({"reason": reason} if reason else {})


def _status(events: list[Event]) -> str:
    status = "processed"
    for event in events:
        blocked = event.get("type") == "blocked"
        status = "blocked" if blocked else _STATUS.get(event["event"], status)
    return status


def _detail(opened: DeliveredLetter, line: dict[str, Any]) -> dict[str, Any]:
    line_only = ("sg_message_id_created_at", "reason")
    detail = {name: value for name, value in line.items() if name not in line_only}
    args, apart = opened.custom_args, {*opened.custom_args, "custom_args"}
    return detail | {
        "api_key_id": "sandbox",
        "client_ip": "127.0.0.1",
        "custom_args": args,
        "category": opened.request.message.get("categories", []),
        # Unlike in the event webhook's posts, custom arguments are an object (OAS, CustomArgs).
        "events": [
            _logged_event({name: value for name, value in event.items() if name not in apart})
            | {"custom_args": args}
            for event in opened.events[-_MAX_EVENTS:]
        ],
    }


def _logged_event(event: Event) -> Event:
    """Return an event as Email Logs show it, which differs from the webhook's post of it (OAS)."""
    if "category" in event:  # always a list here
        given = event["category"]
        event["category"] = given if is_array(given) else [given]
    if event.get("sg_machine_open") is False:  # only ever true here
        del event["sg_machine_open"]
    if event["event"] == "unsubscribe":
        event["date"] = datetime.fromtimestamp(event["timestamp"], UTC).date().isoformat()
    return event


def read_query(query: str) -> list[LogCondition]:
    """Return the conditions; CallError names the part that cannot be read."""
    conditions: list[LogCondition] = []
    at = 0
    while True:
        found = _CONDITION.match(query, at)
        if not found:
            raise CallError(400, f"invalid query near: {query[at : at + 40]!r}")
        conditions.append(_condition(found))
        if found.end() == len(query):
            return conditions
        joined = _AND.match(query, found.end())
        if not joined:
            raise CallError(400, "conditions are joined with AND")
        at = joined.end()


def _condition(found: re.Match[str]) -> LogCondition:
    field = found["field"]
    if found["equal"] and field in _EQUAL:
        return LogCondition(field=field, operator="=", values=(found["value"][1:-1],))
    if found["among"] and field in _AMONG:
        values = tuple(one[1:-1] for one in re.findall(_STRING, found["values"]))
        if field == "status" and not set(values) <= set(STATUSES):
            raise CallError(400, f"status is one of {', '.join(STATUSES)}")
        return LogCondition(field=field, operator="IN", values=values)
    if found["order"] and field == _CREATED:
        return LogCondition(field=field, operator=found["order"], seconds=_seconds(found["moment"]))
    raise CallError(400, f"{field} cannot be filtered so")


def _seconds(text: str) -> float:
    try:
        if _MOMENT.fullmatch(text):
            return datetime.fromisoformat(text).timestamp()
    except ValueError:
        pass
    raise CallError(400, f"{text!r} is not an ISO 8601 timestamp")


ROUTES = (
    route("POST", "/v3/logs", _search),
    route("GET", "/v3/logs/{}", _look_up),
)
