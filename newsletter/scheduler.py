"""The clock's heart: it only asks, often; what is due is decided and done elsewhere.

No trigger stands for an hour: one that was slept through, or that a clock change swallowed, would
be lost. Of several processes, the one that leads asks; the others wait to take its place.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler

from newsletter.core.publication import Newsletter
from newsletter.errors import SendGridUnavailable
from newsletter.ports import Leadership
from newsletter.services.alerting import Alerting
from newsletter.services.polling import Polling
from newsletter.services.reconciliation import Reconciling
from newsletter.services.schedule import ScheduleRunner
from newsletter.services.sending import Sending

_ASK_SECONDS = 2  #: also how soon a standby takes over
_RECOVER_SECONDS = 30  #: how often what a dead worker left is looked for
_SYNC_SECONDS = 600  #: how often it is asked whether the suppression lists are due
_POLL_SECONDS = 30  #: how often it is asked which sources are due
_LOOK_SECONDS = 60  #: how often it is asked what waits for a person

_log = logging.getLogger(__name__)

#: A look that takes longer than the pause before the next one is no news; a failed one is.
logging.getLogger("apscheduler").setLevel(logging.ERROR)


@dataclass(frozen=True)
class Chore:
    """Something the leader does now and then."""

    name: str
    seconds: int  #: from one time to the next
    act: Callable[[], object]  #: harmless to repeat


def make_scheduler(
    newsletters: Mapping[str, Newsletter],
    *,
    calendar: ScheduleRunner,
    dispatch: Sending,
    leadership: Leadership,
    polling: Polling | None = None,
    alerting: Alerting | None = None,
    sync: Callable[[], object] | None = None,
    chores: Iterable[Chore] = (),
) -> Any:
    """Return a scheduler, not started, that asks every newsletter's timetable and recovers.

    With `polling`, it also asks which of the newsletters' sources are due; with `alerting`, what
    waits for a person; with `sync`, what SendGrid's own suppression lists say; `chores` besides.
    """
    scheduler: Any = BackgroundScheduler(
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )

    def every(seconds: int, name: str, act: Callable[[], object]) -> None:
        run = partial(_as_leader, leadership, act)
        scheduler.add_job(run, "interval", seconds=seconds, id=name)

    for newsletter in newsletters.values():
        every(_ASK_SECONDS, f"keep {newsletter.slug}", partial(calendar.keep, newsletter))
        if polling and newsletter.sources:
            every(_POLL_SECONDS, f"poll {newsletter.slug}", partial(polling.poll_due, newsletter))
    if alerting:
        every(_LOOK_SECONDS, "look", alerting.look)
    every(_ASK_SECONDS, "tell", calendar.tell)
    every(_RECOVER_SECONDS, "recover", dispatch.recover)
    for chore in chores:
        every(chore.seconds, chore.name, chore.act)
    if sync:
        every(_SYNC_SECONDS, "sync", partial(_unless_unavailable, sync))
    return scheduler


def hear_silence(scheduler: Any, settling: Reconciling) -> None:
    """Settle by silence from now on, in a process that hears events, whoever keeps the clock."""

    def hear() -> None:
        try:
            settling.by_silence()
        except Exception:  # without a database no event was kept: a silence begins anew
            settling.listen()
            raise

    settling.listen()
    scheduler.add_job(hear, "interval", seconds=_RECOVER_SECONDS, id="silence")


def _unless_unavailable(act: Callable[[], object]) -> None:
    """Act, unless SendGrid does not answer: the next turn asks again."""
    try:
        act()
    except SendGridUnavailable as error:
        _log.warning("SendGrid's suppression lists were not pulled: %s", error)


def _as_leader(leadership: Leadership, act: Callable[[], object]) -> None:
    if leadership.held():
        act()
