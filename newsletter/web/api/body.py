"""Bodies: JSON in UTF-8, of a size, with each name once, and nothing that cannot be stored."""

import json
import re
from collections import Counter
from email.message import Message
from typing import Any, cast

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from newsletter.web.api.problems import ApiProblem, invalid, pointer_of
from newsletter.web.body_limit import read_body

BODY_LIMIT = 5_000_000  #: bytes
_TYPES = frozenset({"application/json", "application/merge-patch+json"})
_may_be_unstorable = re.compile(r"\\u(?:0000|[dD][89a-fA-F])").search
_is_unstorable = re.compile("[\0\ud800-\udfff]").search


class JsonRequest(Request):
    """A request whose body was read and understood before its route is called."""

    given: bytes = b""
    understood: Any = None

    async def read(self) -> None:
        """Read the body, or raise the problem that it is."""
        if self.method in {"GET", "HEAD"}:
            return
        body = await read_body(self, BODY_LIMIT)
        if body is None:
            raise ApiProblem("too-large")
        if body:
            _require_json(self.headers.get("content-type", ""))
            self.given = body
            self.understood = await run_in_threadpool(_parsed, body)  # others are served meanwhile

    async def body(self) -> bytes:
        return self.given

    async def json(self) -> Any:
        return self.understood


def _require_json(content_type: str) -> None:
    message = Message()
    message["content-type"] = content_type
    charset = str(message.get_param("charset", "utf-8")).lower()
    if message.get_content_type() not in _TYPES or charset not in {"utf-8", "utf8"}:
        raise ApiProblem("media-type")


def _parsed(body: bytes) -> Any:
    try:
        text = body.decode()
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
        wrong = _unstorable(value) if _may_be_unstorable(text) else None
    except UnicodeDecodeError as error:
        raise ApiProblem("unreadable", f"byte {error.start + 1} is no UTF-8") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ApiProblem("unreadable", f"{where}: {error.msg}") from None
    except RecursionError:
        raise ApiProblem("unreadable", "it is nested too deeply") from None
    except ValueError as error:
        raise ApiProblem("unreadable", str(error).partition("\n")[0]) from None
    if wrong is not None:
        raise invalid(pointer_of(("body", *wrong)), "holds a character that no text has")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        # Counted in one go: a body may have hundreds of thousands of names.
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"the name {twice[:40]!r} is given twice in one object")
    return made


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _unstorable(value: object) -> tuple[int | str, ...] | None:
    """Return the place of a text with half a character, or with a zero byte; None without one."""
    match value:
        case str():
            return () if _is_unstorable(value) else None
        case list():
            parts = enumerate(cast("list[object]", value))
        case dict():
            parts = cast("dict[str, object]", value).items()
        case _:
            return None
    for name, item in parts:
        if isinstance(name, str) and _is_unstorable(name):
            return ()
        below = _unstorable(item)
        if below is not None:
            return (name, *below)
    return None
