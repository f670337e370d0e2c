"""The clock: it only asks; the database decides what is done, and that it is done once."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from newsletter.core.publication import Newsletter
from newsletter.errors import NewsletterError
from newsletter.ports import Clock
from newsletter.services.dispatch import Dispatch
from newsletter.services.publishing import Publishing, day_of

_log = logging.getLogger(__name__)

_RECOVER_SECONDS = 30  #: how often what a dead worker left is looked for
_LATE_SECONDS = 3600  #: a run this late still counts: the machine may have slept


def make_scheduler(
    newsletters: Mapping[str, Newsletter],
    *,
    publishing: Publishing,
    dispatch: Dispatch,
    clock: Clock,
) -> Any:
    """Return a scheduler that assembles at each cut-off, sends at each hour, and recovers."""
    scheduler: Any = BackgroundScheduler(
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": _LATE_SECONDS}
    )
    for newsletter in newsletters.values():
        for hour, act in (
            (newsletter.timetable.assemble_at, publishing.assemble),
            (newsletter.timetable.send_at, dispatch.send),
        ):
            trigger = CronTrigger(
                day_of_week=",".join(newsletter.timetable.days),
                hour=hour.hour,
                minute=hour.minute,
                second=hour.second,
                timezone=newsletter.timetable.zone,
            )
            scheduler.add_job(_today(act, newsletter, clock), trigger)
    scheduler.add_job(dispatch.recover, "interval", seconds=_RECOVER_SECONDS)
    return scheduler


def _today(act: Callable[..., object], newsletter: Newsletter, clock: Clock) -> Callable[[], None]:
    def run() -> None:
        on = day_of(newsletter, clock.now())
        try:
            act(newsletter, on)
        except NewsletterError as error:  # said once, and the next run is not lost to it
            _log.warning("%s of %s: %s", newsletter.slug, on, error)

    return run
