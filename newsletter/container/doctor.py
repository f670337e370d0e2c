"""What looks at the whole installation from within and from outside."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from newsletter.container import seams
from newsletter.container.web import WebParts

if TYPE_CHECKING:
    from newsletter.ports import SenderAccount
    from newsletter.services.doctor import Doctor, Installed
    from newsletter.services.setup_letters import SetupLetters


class DoctorParts(WebParts):
    """What looks at the whole installation from within and from outside."""

    @cached_property
    def sender_account(self) -> SenderAccount:
        return seams.open_sender_account(self.settings, self.clock)

    @cached_property
    def setup_letters(self) -> SetupLetters:
        from newsletter.adapters.sendgrid.payload import staff_arguments
        from newsletter.services.setup_letters import SetupLetters

        return SetupLetters(
            self.publishing,
            self.renderer,
            rehearsal=lambda: self._sendgrid,
            staff_letters=self.test_letters,
            events=self.events,
            arguments=staff_arguments,
            installation_id=lambda: self.installations.current().id,
            pause=time.sleep,
            clock=self.clock,
        )

    def doctor(self, *, name_servers: Sequence[str] = (), seconds: float = 10) -> Doctor:
        """Return what makes the checks; each request it makes waits for at most so many seconds."""
        from newsletter.adapters.name_lookup import NameLookup
        from newsletter.adapters.public_site import HttpPublicSite
        from newsletter.services.doctor import Doctor
        from newsletter.services.setup_checks import AskedOnce

        return Doctor(
            self._installed,
            account=lambda: self.sender_account,
            site=HttpPublicSite(self.settings.public_url, seconds=seconds),
            lookup=AskedOnce(lambda: NameLookup(name_servers, seconds=min(4, seconds / 2))),
            letters=lambda: self.setup_letters,
            readers=lambda slug: self.subscriptions.counts(slug).mailable,
            own_key=lambda: self.signups.forms_key,
            clock=self.clock,
        )

    @property
    def _installed(self) -> Installed:
        from newsletter.services.doctor import Installed

        settings, environment = self.settings, self.settings.environment
        keys = (environment.sendgrid_webhook_key or "").split(",")
        everything = settings.newsletters.values()
        return Installed(
            newsletters=[one for one in everything if one.week_of is None],
            digests=[one for one in everything if one.week_of is not None],
            public_url=settings.public_url,
            sendgrid_host=settings.sendgrid_host,
            webhook_keys=frozenset(one.strip() for one in keys if one.strip()),
            has_inbound_key=environment.inbound_key is not None,
        )
