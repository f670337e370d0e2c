"""Access to the accepted letters: an inbox of HTML pages without scripts, and an API.

The API is for tests and the demo. It also answers with statistics and sets the faults.
"""

import json
import re
import time
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import ValidationError

from newsletter.sandbox.letters import DeliveredLetter, open_letter, open_letters
from newsletter.sandbox.routing import CallError, Reply, Request, RequestContext, route

_PAGES = Path(__file__).parent / "pages"
_PAGE = 30
_LISTED = 50  # messages listed by default
_MAX_LISTED = 1000
_FLUSH_TIMEOUT = 30  # seconds, by default
_TABS = {
    "html": "HTML",
    "text": "Text",
    "headers": "Headers",
    "json": "Request",
    "events": "Events",
}
# The pages hold strangers' text: no script runs, and everything is loaded from here. Forms may
# post elsewhere, because the unsubscribe button posts where a mail client would.
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; frame-src 'self'; img-src data:; "
    "form-action 'self' http: https:; base-uri 'none'; frame-ancestors 'none'"
)
# The letter is a document of its own without origin or script. Its links open outside the frame.
_LETTER_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "style-src 'unsafe-inline'; img-src http: https: data:; font-src http: https: data:"
)
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_ONE_CLICK = re.compile(r"<(https?://[^>\s]+)>")

_environment = Environment(
    loader=FileSystemLoader(_PAGES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def _inbox(context: RequestContext, request: Request) -> Reply:
    search = request.query.get("search", "").strip()
    offset = request.number("offset", 0)
    total, entries = context.store.recipients(search=search, limit=_PAGE, offset=offset)
    return _page(
        "inbox.html",
        letters=list(open_letters(context, entries)),
        search=search,
        total=total,
        offset=offset,
        size=_PAGE,
    )


def _letter(context: RequestContext, request: Request, entry: str) -> Reply:
    opened = open_letter(context, entry)
    tab = request.query.get("tab", "html")
    wide = request.query.get("width", "desktop") != "phone"
    # This personalization alone, not with a thousand others.
    alone = {**opened.request.message, "personalizations": [opened.personalization]}
    return _page(
        "letter.html",
        opened=opened,
        letter=opened.letter,
        tabs=_TABS,
        tab=tab if tab in _TABS else "html",
        width="desktop" if wide else "phone",
        request_json=json.dumps(alone, indent=2, ensure_ascii=False),
        one_click=_one_click(opened.letter["headers"]),
    )


def _letter_html(context: RequestContext, _: Request, entry: str) -> Reply:
    html = open_letter(context, entry).letter["html"]
    shown = _HEAD.sub(lambda head: head.group() + '<base target="_blank">', html, count=1)
    return _html(shown, _LETTER_POLICY)


def _style(_: RequestContext, __: Request) -> Reply:
    return Reply(body=(_PAGES / "style.css").read_bytes(), content_type="text/css; charset=utf-8")


def _page(name: str, **values: Any) -> Reply:
    return _html(_environment.get_template(name).render(clock=_clock, **values), _PAGE_POLICY)


def _clock(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def _html(text: str, policy: str) -> Reply:
    return Reply(
        body=text.encode(),
        content_type="text/html; charset=utf-8",
        headers={"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"},
    )


def _one_click(headers: dict[str, str]) -> str:
    """Return where a mail client would post an unsubscription (RFC 8058); empty if nowhere."""
    folded = {name.lower(): text for name, text in headers.items()}
    if folded.get("list-unsubscribe-post", "").strip() != "List-Unsubscribe=One-Click":
        return ""
    found = _ONE_CLICK.search(folded.get("list-unsubscribe", ""))
    return found[1] if found else ""


def _stats(context: RequestContext, _: Request) -> dict[str, Any]:
    store = context.store
    tallies = store.tallies()

    def named(prefix: str) -> dict[str, int]:
        return {k.removeprefix(prefix): n for k, n in tallies.items() if k.startswith(prefix)}

    by_status = named("status ")
    refused = sum(n for status, n in by_status.items() if status.startswith(("4", "5")))
    totals = ("requests", "accepted_requests", "accepted_recipients")
    events = ("posted", "posts", "posts_refused", "abandoned")
    return {
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


def _messages(context: RequestContext, request: Request) -> dict[str, Any]:
    total, entries = context.store.recipients(
        to=request.query.get("to", ""),
        limit=min(request.number("limit", _LISTED), _MAX_LISTED),
        offset=request.number("offset", 0),
    )
    return {"total": total, "messages": [_line(o) for o in open_letters(context, entries)]}


def _message(context: RequestContext, _: Request, entry: str) -> dict[str, Any]:
    opened = open_letter(context, entry)
    return {**_line(opened), **opened.letter, "events": opened.events}


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


def _flush(context: RequestContext, request: Request) -> Reply:
    left = context.event_sender.flush(request.number("timeout", _FLUSH_TIMEOUT))
    return Reply.of({"pending_recipients": left}, 504 if left else 200)


def _set_faults(context: RequestContext, request: Request) -> Reply:
    try:
        context.faults.replace(request.body)
    except ValidationError as error:
        raise CallError(400, str(error)) from error
    return Reply(body=context.faults.as_json())


_ELSEWHERE = {"message": "You followed a redirect. Nothing was accepted."}

ROUTES = (
    route("GET", "/sandbox/stats", _stats),
    route("GET", "/sandbox/messages", _messages),
    route("DELETE", "/sandbox/messages", lambda context, _: context.store.clear()),
    route("GET", "/sandbox/messages/{}", _message),
    route("POST", "/sandbox/flush", _flush),
    route("GET", "/sandbox/faults", lambda context, _: Reply(body=context.faults.as_json())),
    route("PUT", "/sandbox/faults", _set_faults),
    route("DELETE", "/sandbox/faults", lambda context, _: context.faults.replace(b"[]")),
    route("GET", "/sandbox/public-key", lambda it, _: {"public_key": it.signer.public_key}),
    route("GET", "/sandbox/elsewhere", lambda _, __: _ELSEWHERE),
    route("GET", "/", lambda _, __: Reply(status=302, headers={"Location": "/inbox"})),
    route("GET", "/inbox", _inbox),
    route("GET", "/inbox/style.css", _style),
    route("GET", "/inbox/{}", _letter),
    route("GET", "/inbox/{}/letter.html", _letter_html),
)
