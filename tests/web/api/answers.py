"""What the examples were answered, shortened, as the documentation shows it."""

import json
import re
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

import httpx

from tests.web.api.example import Example

RECORDED = Path(__file__).with_name("answers.json")
CUT = "…"

_HEADERS = ("ETag", "Location", "Link", "Idempotency-Replayed")
_LONGEST, _LETTER_LONGEST = 90, 30  #: characters of a text
_MOST, _FEW = 12, 3  #: fields of an object
_SHORT, _PAIR = 3, 2  #: items of a list, and fields of each, that are shown as they are
#: What is another one every time, or whenever a template changes.
_CHANGING = re.compile(r"\b[0-9a-f]{32,64}\b|(?<=whsec_)\S+|(?<=evt_)\w+|(?<=after=)[\w-]+")
_OPAQUE = frozenset({"request_id", "next", "cursor"})
_LETTER = frozenset({"html", "text", "source"})


def recorded() -> dict[str, Any]:
    """Return the answers by the titles of the examples."""
    return json.loads(RECORDED.read_text(encoding="utf-8"))


def shown(example: Example, answer: httpx.Response) -> dict[str, Any]:
    """Return status, headers and body of an answer, as far as they are shown."""
    headers = {name: answer.headers[name] for name in _HEADERS if name in answer.headers}
    return {
        "status": status_line(answer.status_code),
        "headers": {name: _CHANGING.sub(CUT, value) for name, value in headers.items()},
        "body": _shortened(_body(example, answer)),
    }


def status_line(status: int) -> str:
    """Return a status with its name, if that is the same in every version of Python."""
    return (
        f"{status} {HTTPStatus(status).phrase}" if status < HTTPStatus.BAD_REQUEST else str(status)
    )


def _body(example: Example, answer: httpx.Response) -> Any:
    """Return what is shown; of an answer of lines the first one."""
    if not answer.content or example.shows is None:
        return None
    body = json.loads(answer.text.partition("\n")[0])
    if not example.shows:
        return body
    rest = {CUT: CUT} if body.keys() - set(example.shows) else {}
    return {name: body[name] for name in example.shows} | rest


def _shortened(value: Any, name: str = "") -> Any:
    match value:
        case str():
            longest = _LETTER_LONGEST if name in _LETTER else _LONGEST
            text = CUT if name in _OPAQUE else _CHANGING.sub(CUT, value)
            return text if len(text) <= longest else text[:longest].rstrip() + CUT
        case list():
            return _items(cast("list[Any]", value))
        case dict():
            return _fields(cast("dict[str, Any]", value))
        case _:
            return value


def _items(values: list[Any]) -> list[Any]:
    """Return a short list, or what matters most of a long one: what did not pass."""
    short = all(not isinstance(one, dict) or len(cast("Any", one)) <= _PAIR for one in values)
    if short and len(values) <= _SHORT:
        return [_shortened(one) for one in values]
    at = next((at for at, one in enumerate(values) if _is_failure(one)), 0)
    before, after = [CUT] * (at > 0), [CUT] * (at + 1 < len(values))
    return [*before, _shortened(values[at]), *after]


def _is_failure(value: Any) -> bool:
    return isinstance(value, dict) and cast("dict[str, Any]", value).get("passed") is False


def _fields(value: dict[str, Any]) -> dict[str, Any]:
    """Return the first fields that say something, and a mark if there are more."""
    silent: tuple[Any, ...] = ("", [], {}) if len(value) <= _FEW else (None, "", [], {})
    said = {key: _shortened(one, key) for key, one in value.items() if one not in silent}
    kept = dict(list(said.items())[:_MOST])
    return kept | {CUT: CUT} if len(kept) < len(value) else kept
