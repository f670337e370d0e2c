"""Streams: JSON objects, a line each, as fast as they are taken, and none of them kept.

One that fails ends without its last chunk, so that the other side sees that it is not whole.
"""

from collections.abc import AsyncGenerator, Generator
from typing import Any

from anyio import CancelScope
from fastapi.responses import StreamingResponse
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool

MEDIA_TYPE = "application/x-ndjson"

#: How a route describes such an answer.
DESCRIBED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A JSON object a line.",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
    }
}


class LineStream(StreamingResponse):
    """An answer of JSON objects, a line each."""

    media_type = MEDIA_TYPE

    def __init__(self, blocks: Generator[bytes]) -> None:
        super().__init__(_given(blocks))


async def _given(blocks: Generator[bytes]) -> AsyncGenerator[bytes]:
    try:
        async for block in iterate_in_threadpool(blocks):
            yield block
    finally:  # whoever goes away leaves no transaction open
        with CancelScope(shield=True):
            await run_in_threadpool(blocks.close)
