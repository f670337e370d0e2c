"""The stand-in's own interface, for tests and demonstrations: what came, and what goes wrong."""

from dataclasses import asdict
from typing import Any

from pydantic import ValidationError

from newsletter.sandbox.delivered import DeliveredLetter, open_entries, open_entry
from newsletter.sandbox.routing import BadRequest, RequestContext, number, route
from newsletter.sandbox.transport import Reply, Request

_PAGE = 50  # messages listed unless told otherwise
_MAX_PAGE = 1000
_PATIENCE = 30  # seconds a flush waits unless told otherwise


def _stats(room: RequestContext, _: Request) -> Reply:
    store = room.store
    tallies = store.tallies()

    def named(prefix: str) -> dict[str, int]:
        return {k.removeprefix(prefix): n for k, n in tallies.items() if k.startswith(prefix)}

    by_status = named("status ")
    refused = sum(n for status, n in by_status.items() if status.startswith(("4", "5")))
    totals = ("requests", "accepted_requests", "accepted_recipients")
    events = ("posted", "posts", "posts_refused", "abandoned")
    value = {
        **{name: tallies.get(name, 0) for name in totals},
        "refused_requests": refused,
        "by_status": by_status,
        "faults": named("fault "),
        "distinct_recipients": store.distinct_recipients(),
        "repeated": store.repeated(),
        "events": {
            **{name: tallies.get(f"events {name}", 0) for name in events},
            "pending_recipients": store.awaiting_events(),
        },
    }
    return Reply.of(value)


def _messages(room: RequestContext, request: Request) -> Reply:
    total, entries = room.store.entries(
        to=request.query.get("to", ""),
        limit=min(number(request, "limit", _PAGE), _MAX_PAGE),
        offset=number(request, "offset", 0),
    )
    return Reply.of({"total": total, "messages": [_line(o) for o in open_entries(room, entries)]})


def _message(room: RequestContext, _: Request, entry: str) -> Reply:
    opened = open_entry(room, entry)
    return Reply.of({**_line(opened), **asdict(opened.letter), "events": opened.events})


def _line(opened: DeliveredLetter) -> dict[str, Any]:
    return {
        "id": opened.entry.id,
        "to": opened.entry.email,
        "message_id": opened.happening.message_id,
        "place": opened.entry.place,
        "accepted": opened.happening.accepted,
        "subject": opened.subject,
        "custom_args": opened.custom_args,
    }


def _clear(room: RequestContext, _: Request) -> Reply:
    room.store.clear()
    return Reply(status=204)


def _flush(room: RequestContext, request: Request) -> Reply:
    left = room.postman.flush(number(request, "timeout", _PATIENCE))
    return Reply.of({"pending_recipients": left}, 504 if left else 200)


def _faults(room: RequestContext, _: Request) -> Reply:
    return Reply(body=room.faults.as_json())


def _set_faults(room: RequestContext, request: Request) -> Reply:
    try:
        room.faults.replace(request.body)
    except ValidationError as error:
        raise BadRequest(str(error)) from error
    return _faults(room, request)


def _clear_faults(room: RequestContext, _: Request) -> Reply:
    room.faults.clear()
    return Reply(status=204)


def _public_key(room: RequestContext, _: Request) -> Reply:
    return Reply.of({"public_key": room.signer.public_key})


def _elsewhere(_: RequestContext, __: Request) -> Reply:
    return Reply.of({"note": "You followed a redirect. Nothing was accepted."})


ROUTES = (
    route("GET", "/sandbox/stats", _stats),
    route("GET", "/sandbox/messages", _messages),
    route("DELETE", "/sandbox/messages", _clear),
    route("GET", "/sandbox/messages/{}", _message),
    route("POST", "/sandbox/flush", _flush),
    route("GET", "/sandbox/faults", _faults),
    route("PUT", "/sandbox/faults", _set_faults),
    route("DELETE", "/sandbox/faults", _clear_faults),
    route("GET", "/sandbox/public-key", _public_key),
    route("GET", "/sandbox/elsewhere", _elsewhere),
)
