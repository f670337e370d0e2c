"""The demo that stays: yesterday's issue has left, and today's waits for somebody to approve it.

Yesterday's issue is made and sent as any other, by a clock that is a day behind. Today's letters
leave slowly enough to be watched and stopped.
"""

from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from newsletter.adapters.clock import SystemClock
from newsletter.core.publication import ApprovalPolicy, Newsletter, Weekday, day_of
from newsletter.core.sending_limits import RateLimit
from newsletter.core.staff import Grant, LoginName, Permission
from newsletter.demo.day import Day, OnProgress, receive, run_day
from newsletter.demo.environment import DemoEnvironment
from newsletter.settings import Settings

_DAY = timedelta(days=1)
_LEAVES_IN = timedelta(minutes=30)
_SET_BEFORE = timedelta(minutes=10)
_CATCH_UP = 48  #: hours: yesterday's letters are not stale for the clock of today
_PER_MINUTE = 2400  #: recipients: the sample list takes a little less than a minute
_GRACE = 0.5  #: minutes in which an issue sent by hand is called back: nobody waits for five
_YESTERDAY = 5  #: briefs of the sample that yesterday's issue prints

_UNLIMITED = RateLimit(per_minute=0, per_day=0, warm_up={})

STAFF = "owner@example.com"


class YesterdaysClock:
    """A clock that is a day behind the system's."""

    def now(self) -> datetime:
        """Return the present moment of yesterday."""
        return SystemClock().now() - _DAY


def to_look_at(settings: Settings, now: datetime) -> Settings:
    """Return the settings of the demo that stays: an issue every day, which a person approves."""
    rate_limit = replace(settings.service.rate_limit, per_minute=_PER_MINUTE)
    sending = settings.service.sending.model_copy(update={"grace_minutes": _GRACE})
    changed = {"rate_limit": rate_limit, "sending": sending}
    service = settings.service.model_copy(update=changed)
    newsletters = {slug: _waiting(one, now) for slug, one in settings.newsletters.items()}
    return replace(settings, service=service, newsletters=newsletters)


def _waiting(newsletter: Newsletter, now: datetime) -> Newsletter:
    """Return a newsletter whose issue of today is set, and leaves in half an hour."""
    if newsletter.week_of:
        return newsletter
    local = now.astimezone(ZoneInfo(newsletter.timetable.zone))
    leaves = min(local + _LEAVES_IN, local.replace(hour=23, minute=59))
    timetable = replace(
        newsletter.timetable,
        days=tuple(Weekday),
        holidays=(),
        assemble_at=max(local - _SET_BEFORE, local.replace(hour=0, minute=0)).time(),
        send_at=leaves.replace(second=0, microsecond=0).time(),
        catch_up_hours=_CATCH_UP,
    )
    return replace(newsletter, timetable=timetable, approval=ApprovalPolicy.PERSON)


def run_two_days(place: DemoEnvironment, newsletter: Newsletter, on_progress: OnProgress) -> Day:
    """Send yesterday's issue, and set today's; what is there already stays as it is."""
    container = place.container
    settings = container.settings
    service = settings.service.model_copy(update={"rate_limit": _UNLIMITED})
    unlimited = replace(settings, service=service)
    with closing(
        type(container)(unlimited, engine=container.engine, clock=YesterdaysClock())
    ) as yesterday:
        before = replace(place, container=yesterday)
        day = run_day(before, newsletter, on_progress, briefs=slice(_YESTERDAY), actor=STAFF)
    day.receipts += receive(container, slice(_YESTERDAY, None))
    container.publishing.assemble(newsletter, day_of(newsletter.timetable, container.clock.now()))
    return day


def sign_in_link(place: DemoEnvironment) -> str:
    """Return a link that signs an owner in to the console, once."""
    container, by = place.container, LoginName("demo")
    accounts = container.staff_accounts
    if all(one.email != STAFF for one in accounts.members()):
        token = accounts.invite(STAFF, [Grant(permission=Permission.OWN)], by=by)
        accounts.accept(token, "Owner")
    return f"{container.settings.console_url}/sign-in/link/{accounts.link(STAFF, by=by)}"
