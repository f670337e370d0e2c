"""APScheduler's background scheduler, made independent of the system clock.

APScheduler compares wall-clock times. A system clock set back would make every job wait for the
difference, and one set forward would count every run between. Here each wait is measured by the
monotonic clock. See docs/decisions/ticks-are-monotonic.md.
"""

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.schedulers import background
from apscheduler.triggers import interval

from newsletter.adapters.clock import SystemClock

_LEAP = timedelta(seconds=1)  #: less is only how clocks are corrected
#: In seconds. A clock moved back between the look at it and the wait would make the wait as long as
#: the move.
_LONGEST_WAIT = 1.0

_log = logging.getLogger(__name__)


_Scheduler: Any = background.BackgroundScheduler  # APScheduler 3 bears no types
_Trigger: Any = interval.IntervalTrigger


class SteadyTrigger(_Trigger):
    """Fires an interval after the last look, whatever was missed: nothing is enumerated."""

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Return the next moment: one, however long the last was ago."""
        del previous_fire_time
        return now + self.interval


class SteadyScheduler(_Scheduler):
    """Runs jobs at intervals that a moved system clock neither stops nor multiplies."""

    def start(self, *arguments: Any, **options: Any) -> None:
        """Begin to measure, and start."""
        self._offset = _offset()
        _Scheduler.start(self, *arguments, **options)

    def _process_jobs(self) -> float:
        self._follow_system_clock()
        wait: float | None = _Scheduler._process_jobs(self)  # noqa: SLF001  # no public hook
        return _LONGEST_WAIT if wait is None else min(wait, _LONGEST_WAIT)

    def _follow_system_clock(self) -> None:
        """Make every job due at once if the system clock was moved: no old time means anything."""
        offset = _offset()
        leap, self._offset = offset - self._offset, offset
        if abs(leap) < _LEAP:
            return
        _log.warning("the system clock was moved by %s; the schedule goes on", leap)
        now = SystemClock().now()
        with self._jobstores_lock:
            for job in self.get_jobs():
                if job.next_run_time:
                    job.modify(next_run_time=now)


def _offset() -> timedelta:
    """Return how far the system clock is from the monotonic one."""
    since_epoch = SystemClock().now() - datetime(1970, 1, 1, tzinfo=UTC)
    return since_epoch - timedelta(seconds=time.monotonic())
