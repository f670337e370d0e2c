"""The end of a process that was asked to stop."""

import signal
import sys
import threading
from collections.abc import Iterator

import pytest

from newsletter.cli.ending import wait_for_end


@pytest.fixture
def interrupting() -> Iterator[signal.Signals]:
    """Make a signal interrupt the main thread as SIGTERM does a worker's."""
    former = signal.signal(signal.SIGUSR1, signal.default_int_handler)
    yield signal.SIGUSR1
    signal.signal(signal.SIGUSR1, former)


def test_a_signal_that_reaches_another_thread_ends_the_wait(interrupting: signal.Signals) -> None:
    """It wakes nobody: what a bare wait does not see before it is set."""
    main, begun, ended, late = threading.get_ident(), *(threading.Event() for _ in range(3))

    def take() -> None:
        begun.wait()
        while sys._current_frames()[main].f_code is not threading.Condition.wait.__code__:
            pass
        signal.pthread_kill(threading.get_ident(), interrupting)
        if not ended.wait(20):
            late.set()
            ended.set()

    other = threading.Thread(target=take, daemon=True)
    other.start()
    begun.set()
    with pytest.raises(KeyboardInterrupt):
        wait_for_end(ended)
    ended.set()
    other.join()
    assert not late.is_set()
