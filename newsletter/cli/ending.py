"""The end of a process that was asked to stop: in order, or, if something hangs, without it.

What hangs may be a database, SendGrid, or a thread that waits for either. Nothing is lost by an
end without order: it is what a kill would do, and what was begun is recovered by its lease.
"""

import logging
import os
import signal
import threading
from types import FrameType

SECONDS = 12  #: for an end in order; whoever asked to stop gives up after some more

_LOOK = 0.5  #: seconds between two looks for a signal that did not wake the main thread

_log = logging.getLogger(__name__)


def limit_end() -> None:
    """End the process soon, whatever hangs, unless it ends by itself before."""
    timer = threading.Timer(SECONDS, _end)
    timer.daemon = True
    timer.start()


def interrupt(number: int, frame: FrameType | None) -> None:
    """Stop as Ctrl-C does, and within the limit."""
    limit_end()
    signal.default_int_handler(number, frame)


def wait_for_end(ended: threading.Event) -> None:
    """Wait until the event is set, or a signal ends the wait.

    Python runs handlers of signals in the main thread alone, and nothing wakes that thread where
    the signal reached another one, or reached this one just before it fell asleep. So it looks.
    """
    while not ended.wait(_LOOK):
        pass


def _end() -> None:
    _log.error("something hangs: ended without waiting", extra={"action": "process.cut_off"})
    os._exit(1)
