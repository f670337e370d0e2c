"""Answers that take the same time for every address, so that timing gives nothing away."""

import time
from collections.abc import Generator
from contextlib import contextmanager

MIN_SECONDS = 0.05  #: a sign-up takes a tenth of it


@contextmanager
def min_duration(seconds: float) -> Generator[None]:
    """Take at least this many seconds."""
    until = time.monotonic() + seconds
    yield
    time.sleep(max(until - time.monotonic(), 0))
