"""Answers that take the same time, whoever is asked about: what happens within is no hint."""

import time
from collections.abc import Generator
from contextlib import contextmanager

LEAST = 0.05  #: seconds; what a sign-up does takes a tenth of it


@contextmanager
def evenly(seconds: float) -> Generator[None]:
    """Take so many seconds at least."""
    until = time.monotonic() + seconds
    yield
    time.sleep(max(until - time.monotonic(), 0))
