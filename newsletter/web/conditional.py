"""Answers that a client need not fetch again as long as they are the same (RFC 9110, 13)."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from fastapi import Request, Response

from newsletter.web.headers import PUBLIC


def conditional(
    request: Request,
    body: bytes,
    media_type: str,
    changed: datetime | None,
    more: Mapping[str, str] | None = None,
) -> Response:
    """Return the body, or 304 where the client has it; anybody may keep it for a while.

    `more` are headers of both answers.
    """
    headers = {
        **(more or {}),
        "Cache-Control": PUBLIC["Cache-Control"],
        "ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"',
    }
    if changed:
        changed = changed.astimezone(UTC).replace(microsecond=0)
        headers["Last-Modified"] = format_datetime(changed, usegmt=True)
    if _has_it(request, headers["ETag"], changed):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def _has_it(request: Request, tag: str, changed: datetime | None) -> bool:
    """Return whether the client named what it has; a tag comes before a date."""
    if (tags := request.headers.get("if-none-match")) is not None:
        known = {one.strip().removeprefix("W/") for one in tags.split(",")}
        return bool(known & {tag, "*"})
    try:
        since = parsedate_to_datetime(request.headers.get("if-modified-since", ""))
    except ValueError:
        return False
    return changed is not None and since.tzinfo is not None and changed <= since
