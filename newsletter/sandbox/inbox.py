"""The inbox: HTML pages, without scripts, that show the accepted letters."""

import json
import re
import time
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from newsletter.sandbox.delivered import DeliveredLetter, open_letter, open_letters
from newsletter.sandbox.routing import Reply, Request, RequestContext, number, route

_PAGES = Path(__file__).parent / "pages"
_PAGE = 30
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


def _clock(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


_environment.filters["clock"] = _clock  # pyright: ignore[reportUnknownMemberType]  # untyped there


def _home(_: RequestContext, __: Request) -> Reply:
    return Reply(status=302, headers={"Location": "/inbox"})


def _inbox(context: RequestContext, request: Request) -> Reply:
    search = request.query.get("search", "").strip()
    offset = number(request, "offset", 0)
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
    return _page(
        "letter.html",
        opened=opened,
        letter=opened.letter,
        tabs=_TABS,
        tab=tab if tab in _TABS else "html",
        width="desktop" if wide else "phone",
        request_json=_request_json(opened) if tab == "json" else "",
        one_click=_one_click(opened.letter.headers),
    )


def _letter_html(context: RequestContext, _: Request, entry: str) -> Reply:
    html = open_letter(context, entry).letter.html
    shown = _HEAD.sub(lambda head: head.group() + '<base target="_blank">', html, count=1)
    return Reply(
        body=shown.encode(),
        content_type="text/html; charset=utf-8",
        headers={"Content-Security-Policy": _LETTER_POLICY, "Referrer-Policy": "no-referrer"},
    )


def _style(_: RequestContext, __: Request) -> Reply:
    return Reply(body=(_PAGES / "style.css").read_bytes(), content_type="text/css; charset=utf-8")


def _page(name: str, **values: Any) -> Reply:
    return Reply(
        body=_environment.get_template(name).render(**values).encode(),
        content_type="text/html; charset=utf-8",
        headers={"Content-Security-Policy": _PAGE_POLICY, "Referrer-Policy": "no-referrer"},
    )


def _request_json(opened: DeliveredLetter) -> str:
    """Return the request with this personalization alone, not with a thousand others."""
    message = opened.request.message
    alone = {**message, "personalizations": [message["personalizations"][opened.recipient.place]]}
    return json.dumps(alone, indent=2, ensure_ascii=False)


def _one_click(headers: dict[str, str]) -> str:
    """Return where a mail client would post an unsubscription (RFC 8058); empty if nowhere."""
    folded = {name.lower(): text for name, text in headers.items()}
    if folded.get("list-unsubscribe-post", "").strip() != "List-Unsubscribe=One-Click":
        return ""
    found = _ONE_CLICK.search(folded.get("list-unsubscribe", ""))
    return found[1] if found else ""


ROUTES = (
    route("GET", "/", _home),
    route("GET", "/inbox", _inbox),
    route("GET", "/inbox/style.css", _style),
    route("GET", "/inbox/{}", _letter),
    route("GET", "/inbox/{}/letter.html", _letter_html),
)
