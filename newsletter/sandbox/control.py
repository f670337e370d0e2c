"""The sandbox's own API for tests and the demo: statistics, letters, faults."""

from dataclasses import asdict
from typing import Any

from pydantic import ValidationError

from newsletter.sandbox.delivered import DeliveredLetter, open_letter, open_letters
from newsletter.sandbox.routing import BadRequest, Reply, Request, RequestContext, number, route

_PAGE = 50  # messages listed by default
_MAX_PAGE = 1000
_FLUSH_TIMEOUT = 30  # seconds, by default


def _stats(context: RequestContext, _: Request) -> Reply:
    store = context.store
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


def _messages(context: RequestContext, request: Request) -> Reply:
    total, entries = context.store.recipients(
        to=request.query.get("to", ""),
        limit=min(number(request, "limit", _PAGE), _MAX_PAGE),
        offset=number(request, "offset", 0),
    )
    return Reply.of(
        {"total": total, "messages": [_line(o) for o in open_letters(context, entries)]}
    )


def _message(context: RequestContext, _: Request, entry: str) -> Reply:
    opened = open_letter(context, entry)
    return Reply.of({**_line(opened), **asdict(opened.letter), "events": opened.events})


def _line(opened: DeliveredLetter) -> dict[str, Any]:
    return {
        "id": opened.recipient.id,
        "to": opened.recipient.email,
        "message_id": opened.request.message_id,
        "place": opened.recipient.place,
        "accepted": opened.request.accepted,
        "subject": opened.subject,
        "custom_args": opened.custom_args,
    }


def _clear(context: RequestContext, _: Request) -> Reply:
    context.store.clear()
    return Reply(status=204)


def _flush(context: RequestContext, request: Request) -> Reply:
    left = context.event_sender.flush(number(request, "timeout", _FLUSH_TIMEOUT))
    return Reply.of({"pending_recipients": left}, 504 if left else 200)


def _faults(context: RequestContext, _: Request) -> Reply:
    return Reply(body=context.faults.as_json())


def _set_faults(context: RequestContext, request: Request) -> Reply:
    try:
        context.faults.replace(request.body)
    except ValidationError as error:
        raise BadRequest(str(error)) from error
    return _faults(context, request)


def _clear_faults(context: RequestContext, _: Request) -> Reply:
    context.faults.clear()
    return Reply(status=204)


def _public_key(context: RequestContext, _: Request) -> Reply:
    return Reply.of({"public_key": context.signer.public_key})


def _elsewhere(_: RequestContext, __: Request) -> Reply:
    return Reply.of({"message": "You followed a redirect. Nothing was accepted."})


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
