"""Ending in order when the system, a closed terminal or a person ends a process."""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interrupted_once() -> Generator[None]:
    """Raise KeyboardInterrupt at the first such signal; those after it disturb no cleaning up."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in _ENDS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _ENDS}
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGTERM) is interrupt:  # or what ends is not disturbed at all
            for number, handler in before.items():
                signal.signal(number, handler)
