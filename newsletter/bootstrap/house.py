"""The whole house: the web and the clock on top of everything else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastapi import FastAPI

    from newsletter.scheduler import Chore
    from newsletter.web.health import Health
    from newsletter.web.inbound import Inbound


from newsletter.bootstrap.post import PostRooms

_SUNSET_SECONDS = 60 * 60  #: how often a portion of the silent is asked
_FORGET_SECONDS = 6 * 60 * 60  #: how often it is asked what was kept long enough
_WRITE_SECONDS = 2  #: how often letters to one person leave
_LOOK_UP_SECONDS = 30  #: how often it is asked which unknown batches to look for in Email Logs
_SYNC_EVERY = timedelta(hours=6)  #: SendGrid's own suppression lists; windows overlap


class House(PostRooms):
    """Every service, wired; each part is made when it is first asked for."""

    @cached_property
    def app(self) -> FastAPI:
        """The web application."""
        from newsletter.web.app import create_app
        from newsletter.web.public.signup_context import SignUpContext

        return create_app(
            newsletters=self.settings.newsletters,
            publishing=self.publishing,
            subscriptions_desk=self.subscriptions,
            feedback=self.feedback,
            now=self.clock.now,
            templates=self.settings.templates,
            health_room=self.health,
            inbound_room=self.inbound,
            people=self.people,
            sunsets=self.sunsets,
            movers=self.signing_up,
            signup_room=SignUpContext(
                signing_up=self.signing_up,
                forms_key=lambda: self.signups.forms_key,
                base_url=self.settings.public_url,
            ),
        )

    @cached_property
    def inbound(self) -> Inbound:
        from newsletter.adapters.sendgrid.inbound import read_letter
        from newsletter.services.unsubscribe_mail import UnsubscribeByMail
        from newsletter.web.inbound import Inbound

        key = self.settings.environment.inbound_key
        farewells = UnsubscribeByMail(
            newsletters=self.settings.newsletters,
            subscriptions=self.subscriptions,
            clock=self.clock,
            counters=self.feedback.counters,
        )
        return Inbound(
            farewells=farewells, read=read_letter, key=key.get_secret_value() if key else None
        )

    @cached_property
    def health(self) -> Health:
        from newsletter.adapters.metrics import Metrics
        from newsletter.stores.healthcheck import vital_signs
        from newsletter.web.health import Health

        token = self.settings.environment.metrics_token
        return Health(
            signs=partial(vital_signs, self.engine),
            metrics=Metrics(
                self.engine,
                account=self._deliveries.account,
                counts=self.feedback.counters.values,
            ),
            token=token.get_secret_value() if token else None,
        )

    @cached_property
    def scheduler(self) -> Any:
        """The clock that asks; not started."""
        from newsletter.scheduler import make_scheduler

        return make_scheduler(
            self.settings.newsletters,
            calendar=self.calendar,
            dispatch=self.dispatch,
            leadership=self.leadership,
            polling=self.polling,
            alerting=self.alerting,
            sync=self._sync_if_due,
            chores=self._chores(),
        )

    def _chores(self) -> Iterator[Chore]:
        """Yield what the leader does now and then besides."""
        from newsletter.scheduler import Chore

        yield Chore("look up", _LOOK_UP_SECONDS, self.settling.by_logs)
        yield Chore("correspond", _WRITE_SECONDS, self.correspondence.deliver)
        yield Chore("unconfirmed", _FORGET_SECONDS, self.signing_up.sweep)
        yield Chore("retention", _FORGET_SECONDS, self.retention.expire)
        if any(one.sunset for one in self.settings.newsletters.values()):
            yield Chore("sunset", _SUNSET_SECONDS, self.sunset.run)

    def _sync_if_due(self) -> None:
        if self.suppressing.is_due(_SYNC_EVERY):
            self.suppressing.sync(self.sendgrid_lists, by="clock")
