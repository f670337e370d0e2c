"""Email Logs: search accepted letters, and look one up."""

import json
import math
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

from newsletter.sandbox import v3
from newsletter.sandbox.delivered import DeliveredLetter, open_letters
from newsletter.sandbox.events import Event, sg_message_id
from newsletter.sandbox.letters import addresses
from newsletter.sandbox.queries import LogCondition, read_query
from newsletter.sandbox.routing import (
    BadRequest,
    Reply,
    Request,
    RequestContext,
    RouteNotFound,
    route,
)
from newsletter.sandbox.rules import is_integer, is_object

_LIMIT, _MAX_LIMIT = 10, 1000  #: OAS
_MAX_EVENTS = 100  #: OAS
_RETENTION = 30 * 24 * 3600  #: seconds: 30 days
_PAGE = 500  #: recipients read at a time
_NEWEST = 2**62
_ID = re.compile(r"[\w-]{22}\.recvd-sandbox-(\d{1,18})\.(\d{1,4})").fullmatch
_STATUS = {  # OAS, EmailLogsMessageStatus; an unsubscribe or a complaint does not change it
    "processed": "processed",
    "dropped": "dropped",
    "deferred": "deferred",
    "bounce": "bounced",
    "delivered": "delivered",
    "click": "delivered",
    "open": "delivered",
}
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": lambda at, limit: at < limit,
    ">": lambda at, limit: at > limit,
    "<=": lambda at, limit: at <= limit,
    ">=": lambda at, limit: at >= limit,
}


def _search(context: RequestContext, request: Request) -> Reply:
    if refused := _refused(context):
        return refused
    conditions, limit = _parsed(request.body)
    found: list[dict[str, Any]] = []
    for opened in _logged(context, conditions):
        line = _line(opened)
        if all(_holds(one, opened, line) for one in conditions):
            found.append(line)
        if len(found) == limit:
            break
    return Reply.of({"messages": found})


def _look_up(context: RequestContext, _: Request, message_id: str) -> Reply:
    if refused := _refused(context):
        return refused
    place = _ID(message_id)
    entry = context.store.placed(int(place[1]), int(place[2])) if place else None
    for opened in open_letters(context, [entry] if entry else []):
        line = _line(opened)
        shown = _oldest() <= opened.request.accepted <= _newest(context)
        if shown and line["sg_message_id"] == message_id:
            return Reply.of(_detail(opened, line))
    raise RouteNotFound


def _refused(context: RequestContext) -> Reply | None:
    if not context.config.logs:
        return v3.refusal(403, "access forbidden")
    if not context.logs_limit.admits(context.config.logs_per_minute):
        return v3.refusal(429)
    return None


def _parsed(body: bytes) -> tuple[list[LogCondition], int]:
    """Return conditions and limit of a search; BadRequest names what is wrong with it."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest("the body is not JSON") from error
    if not is_object(asked) or not asked.keys() <= {"query", "limit", "subusers"}:
        raise BadRequest("the body is an object of query, limit and subusers")
    limit, query = asked.get("limit", _LIMIT), asked.get("query", "")
    if not is_integer(limit) or not 1 <= limit <= _MAX_LIMIT:
        raise BadRequest(f"limit must be between 1 and {_MAX_LIMIT}")
    if not isinstance(query, str):
        raise BadRequest("query must be a string")
    return read_query(query) if "query" in asked else [], limit


def _logged(context: RequestContext, conditions: list[LogCondition]) -> Iterator[DeliveredLetter]:
    """Yield letters that may meet the conditions, newest first."""
    to = next((one.values[0] for one in conditions if one.field == "to_email"), "")
    page = partial(
        context.store.logged, to=to, start=math.ceil(_oldest()), end=int(_newest(context))
    )
    after = _NEWEST
    while entries := page(after=after, limit=_PAGE):
        yield from open_letters(context, entries)
        after = entries[-1].id


def _oldest() -> float:
    return time.time() - _RETENTION


def _newest(context: RequestContext) -> float:
    return time.time() - context.config.logs_delay


def _holds(condition: LogCondition, opened: DeliveredLetter, line: dict[str, Any]) -> bool:
    if compare := _COMPARE.get(condition.operator):
        return compare(opened.request.accepted, condition.seconds)
    if condition.field == "categories":
        return bool({*condition.values} & {*opened.request.message.get("categories", ())})
    return line.get(condition.field) in condition.values


def _line(opened: DeliveredLetter) -> dict[str, Any]:
    message, accepted = opened.request.message, opened.request.accepted
    one = message["personalizations"][opened.recipient.place]
    spelled = (email for email in addresses(one) if email.lower() == opened.recipient.email)
    line = {
        "from_email": (one.get("from") or message["from"])["email"],
        "sg_message_id": sg_message_id(opened.request, opened.recipient.place),
        "subject": opened.subject,
        "to_email": next(spelled, opened.recipient.email),
        "status": _status(opened.events),
        "sg_message_id_created_at": datetime.fromtimestamp(accepted, UTC).isoformat(),
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
    detail = {name: value for name, value in line.items() if name not in _LINE_ONLY}
    args, apart = opened.custom_args, {*opened.custom_args, "custom_args"}
    return detail | {
        "api_key_id": "sandbox",
        "client_ip": "127.0.0.1",
        "custom_args": args,
        "category": opened.request.message.get("categories", []),
        # Unlike in the event webhook's posts, custom arguments are an object (OAS, CustomArgs).
        "events": [
            {name: value for name, value in event.items() if name not in apart}
            | {"custom_args": args}
            for event in opened.events[-_MAX_EVENTS:]
        ],
    }


_LINE_ONLY = ("sg_message_id_created_at", "reason")

ROUTES = (
    route("POST", "/v3/logs", _search),
    route("GET", "/v3/logs/{}", _look_up),
)
