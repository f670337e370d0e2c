"""Bodies: JSON in UTF-8, of a size, with each name once, and nothing that cannot be stored."""

import json
import re
from collections.abc import Iterator
from email.message import Message
from typing import Any, cast

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
            self.given, self.understood = body, _parsed(body)

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
    except UnicodeDecodeError as error:
        raise ApiProblem("unreadable", f"byte {error.start + 1} is no UTF-8") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ApiProblem("unreadable", f"{where}: {error.msg}") from None
    except RecursionError:
        raise ApiProblem("unreadable", "it is nested too deeply") from None
    except ValueError as error:
        raise ApiProblem("unreadable", str(error).partition("\n")[0]) from None
    if _may_be_unstorable(text) and (wrong := next(_unstorable(value, ("body",)), None)):
        raise invalid(pointer_of(wrong), "holds a character that no text has")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice[:40]!r} is given twice in one object")
    return made


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _unstorable(value: object, at: tuple[int | str, ...]) -> Iterator[tuple[int | str, ...]]:
    """Yield the places of texts with half a character, or with a zero byte."""
    match value:
        case str():
            if _is_unstorable(value):
                yield at
        case list():
            for number, item in enumerate(cast("list[object]", value)):
                yield from _unstorable(item, (*at, number))
        case dict():
            for name, item in cast("dict[str, object]", value).items():
                if _is_unstorable(name):
                    yield at
                yield from _unstorable(item, (*at, name))
        case _:
            pass
