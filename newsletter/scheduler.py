"""Calls the services at short intervals; what is due is decided there.

No trigger stands for a time of day: one that was slept through, or that a clock change skipped,
would be lost. Of several processes only the leader calls; the others wait to take its place.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from newsletter.adapters.steady_scheduler import SteadyScheduler, SteadyTrigger
from newsletter.core.publication import Newsletter
from newsletter.errors import SendGridUnavailable
from newsletter.ports import Leadership
from newsletter.services.alerting import Alerting
from newsletter.services.polling import Polling
from newsletter.services.reconciliation import Reconciling
from newsletter.services.schedule import ScheduleRunner
from newsletter.services.sending import Recovery

_DUE_SECONDS = 2  #: also how soon a standby takes over
_RECOVER_SECONDS = 30  #: how often the batches of dead workers are recovered
_SYNC_SECONDS = 600  #: how often the suppression lists may be due
_POLL_SECONDS = 30  #: how often sources may be due
_CHECK_SECONDS = 60  #: how often new operator alerts are looked for

_log = logging.getLogger(__name__)

#: A job that takes longer than its interval is not worth a warning; a failed one is.
logging.getLogger("apscheduler").setLevel(logging.ERROR)


@dataclass(frozen=True)
class RecurringJob:
    """Something the leader does at intervals."""

    name: str
    seconds: int  #: from one time to the next
    act: Callable[[], object]  #: harmless to repeat


def make_scheduler(
    newsletters: Mapping[str, Newsletter],
    *,
    schedule: ScheduleRunner,
    recovery: Recovery,
    leadership: Leadership,
    polling: Polling | None = None,
    alerting: Alerting | None = None,
    sync: Callable[[], object] | None = None,
    jobs: Iterable[RecurringJob] = (),
) -> Any:
    """Return a scheduler, not started, that runs every newsletter's timetable and recovers.

    With `polling`, it also polls the newsletters' sources; with `alerting`, it looks for what waits
    for a person; with `sync`, it takes over SendGrid's own suppression lists; and it runs `jobs`.
    """
    scheduler: Any = SteadyScheduler(
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )

    def every(seconds: int, name: str, act: Callable[[], object]) -> None:
        run = partial(_as_leader, leadership, act)
        scheduler.add_job(run, SteadyTrigger(seconds=seconds), id=name)

    for newsletter in newsletters.values():
        every(_DUE_SECONDS, f"schedule {newsletter.slug}", partial(schedule.run_due, newsletter))
        if polling and newsletter.sources:
            every(_POLL_SECONDS, f"poll {newsletter.slug}", partial(polling.poll_due, newsletter))
    if alerting:
        every(_CHECK_SECONDS, "check", alerting.check)
    every(_DUE_SECONDS, "alerts", schedule.send_alerts)
    every(_RECOVER_SECONDS, "recover", recovery.recover)
    for chore in jobs:
        every(chore.seconds, chore.name, chore.act)
    if sync:
        every(_SYNC_SECONDS, "sync", partial(_unless_unavailable, sync))
    return scheduler


def reconcile_by_events(scheduler: Any, reconciling: Reconciling) -> None:
    """Reconcile by events from now on, in a process that receives them, leader or not."""

    def run() -> None:
        try:
            reconciling.by_events()
        except Exception:  # without a database no event was stored: the line was broken
            reconciling.start_receiving()
            raise

    reconciling.start_receiving()
    seconds = reconciling.seen_every.total_seconds()
    scheduler.add_job(run, SteadyTrigger(seconds=seconds), id="reconcile")


def _unless_unavailable(act: Callable[[], object]) -> None:
    """Act, unless SendGrid does not answer: the next run tries again."""
    try:
        act()
    except SendGridUnavailable as error:
        _log.warning("SendGrid's suppression lists were not pulled: %s", error)


def _as_leader(leadership: Leadership, act: Callable[[], object]) -> None:
    if leadership.held():
        act()
