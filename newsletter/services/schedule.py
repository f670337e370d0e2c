"""Keeping the clock: what is due is done, what could not be is named, and operators are told."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from newsletter.core.operator_alert import OperatorAlert, OperatorAlertKind
from newsletter.core.publication import Newsletter
from newsletter.core.stored import IssueStatus
from newsletter.core.timetable import Action, Assemble, Miss, Send, due, first_date, takes_briefs
from newsletter.errors import NewsletterError, NotApproved, NotTold
from newsletter.ports import Clock, Notify
from newsletter.services.publishing import Publishing
from newsletter.services.sending import Sending
from newsletter.stores.schedule import ScheduleStore

_REST = timedelta(minutes=1)  #: after a failure, before it is tried again
_EMPTY_DAY = "there was no accepted brief to print: nothing is sent"
_EMPTY_WEEK = "no issue of the week printed a brief that still stands: nothing is sent"


class ScheduleRunner:
    """The desk that watches the clock."""

    def __init__(
        self,
        *,
        publishing: Publishing,
        dispatch: Sending,
        gather: Callable[[Newsletter], object],
        book: ScheduleStore,
        notify: Notify,
        clock: Clock,
    ) -> None:
        self._publishing, self._dispatch = publishing, dispatch
        self._gather = gather  #: asks the sources that are due: an issue takes what is there
        self._book, self._notify, self._clock = book, notify, clock
        self._rests_until: dict[str, datetime] = {}

    def keep(self, newsletter: Newsletter) -> None:
        """Do what is due now for a newsletter; to ask often, and to ask again, does no harm.

        What fails does not keep the rest from being done, and is due again a minute later.
        """
        slug, now = newsletter.slug, self._clock.now()
        if now < self._rests_until.get(slug, now):
            return
        self._rests_until[slug] = now + _REST
        watch = self._book.watch(slug, now)
        on_file = self._book.standings(slug, first_date(newsletter.timetable, watch, now))
        actions = due(newsletter.timetable, watch, now, on_file)
        if any(takes_briefs(action, on_file) for action in actions):
            self._gather(newsletter)
        done = [self._done(newsletter, action, now) for action in actions]
        if all(done):
            del self._rests_until[slug]
            self._book.watched(slug, now)

    def tell(self) -> None:
        """Tell operators what they were not told yet."""
        for number, notice in self._book.untold():
            with suppress(NotTold):  # it stays untold; the others do not wait for it
                self._notify(notice)
                self._book.told(number, self._clock.now())

    def _done(self, newsletter: Newsletter, action: Action, now: datetime) -> bool:
        """Do what is due and keep what is to be told of it; False if it must be tried again."""
        notice = partial(OperatorAlert, newsletter=newsletter.slug, date=action.on)
        try:
            match action:
                case Assemble(on):
                    self._publishing.assemble(newsletter, on)
                case Send(on):
                    if self._dispatch.send(newsletter, on).state is IssueStatus.EMPTY:
                        empty = _EMPTY_WEEK if newsletter.week_of else _EMPTY_DAY
                        self._book.keep(
                            notice(kind=OperatorAlertKind.EMPTY_DAY, sentence=empty), now
                        )
                case Miss(_, reason):
                    missed = f"missed: {reason}"
                    self._book.miss(notice(kind=OperatorAlertKind.MISSED_DAY, sentence=missed), now)
        except NotApproved as error:
            self._book.keep(notice(kind=OperatorAlertKind.UNAPPROVED, sentence=str(error)), now)
        except NewsletterError as error:
            self._book.keep(notice(kind=OperatorAlertKind.FAILED, sentence=str(error)), now)
            return False
        return True
