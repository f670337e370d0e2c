"""Streams: JSON objects, a line each, as fast as they are taken, and none of them kept.

One that fails, or whose token is revoked meanwhile, ends without its last chunk, so that the other
side sees that it is not whole.
"""

import logging
from collections.abc import Callable, Generator
from contextlib import closing
from functools import partial
from threading import Lock
from time import monotonic
from typing import Any

from anyio import CancelScope, move_on_after
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.types import Message, Receive, Scope, Send

from newsletter.web.api.problems import ApiProblem, answer_of

MEDIA_TYPE = "application/x-ndjson"
AT_ONCE = 2  #: streams of a process
STALLED_AFTER = 30.0  #: seconds in which a part must be taken
ADMITTED_FOR = 5.0  #: seconds until it is looked up again whether the token is good
_RETRY_SECONDS = "30"
_TOO_MANY = f"{AT_ONCE} exports are under way: ask again once one of them has ended"

_log = logging.getLogger(__name__)

#: How a route describes such an answer.
DESCRIBED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A JSON object a line.",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
    }
}


class StreamPlaces:
    """How many streams there are at a time: each holds a connection to the database."""

    def __init__(self, most: int) -> None:
        self._free, self._lock = most, Lock()

    def take(self) -> bool:
        """Take a place; False if there is none."""
        with self._lock:
            taken = self._free > 0
            self._free -= taken
        return taken

    def give_back(self) -> None:
        with self._lock:
            self._free += 1


class _Ended(Exception):
    """A stream is not gone on with, and why."""


class LineStream(StreamingResponse):
    """An answer of JSON objects, a line each.

    There are few at a time, and whoever takes nothing for half a minute is given up: somebody who
    only holds connections would otherwise leave none to those that send letters. `is_admitted` says
    whether the caller may have the rest.
    """

    media_type = MEDIA_TYPE

    def __init__(self, blocks: Generator[bytes], is_admitted: Callable[[], bool]) -> None:
        self._blocks = _while_admitted(blocks, is_admitted)
        super().__init__(iterate_in_threadpool(self._blocks))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        places: StreamPlaces = scope["app"].state.stream_places
        if not places.take():
            await self._refused(scope)(scope, receive, send)
            return
        try:
            await super().__call__(scope, receive, partial(_taken, send))
        except* _Ended as ended:
            _log.warning("a stream was ended: %s", ended.exceptions[0])
        finally:
            with CancelScope(shield=True):  # whoever goes away leaves no transaction open
                await run_in_threadpool(self._blocks.close)
            places.give_back()

    def _refused(self, scope: Scope) -> Response:
        counted = {name: value for name, value in self.headers.items() if "ratelimit" in name}
        headers = counted | {"Retry-After": _RETRY_SECONDS}
        return answer_of(Request(scope), ApiProblem("too-many", _TOO_MANY, headers=headers))


async def _taken(send: Send, message: Message) -> None:
    with move_on_after(STALLED_AFTER) as limit:
        await send(message)
    if limit.cancelled_caught:
        raise _Ended("nothing of it was taken for so long")


def _while_admitted(blocks: Generator[bytes], is_admitted: Callable[[], bool]) -> Generator[bytes]:
    known_at = monotonic()
    with closing(blocks):
        for block in blocks:
            if monotonic() - known_at >= ADMITTED_FOR:
                if not is_admitted():
                    raise _Ended("its token is not good any more")
                known_at = monotonic()
            yield block
