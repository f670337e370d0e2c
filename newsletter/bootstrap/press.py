"""The rooms where issues are made."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from newsletter.adapters.eml import to_eml
from newsletter.adapters.journal import (
    JournaledSources,
)
from newsletter.services.explain import Explaining
from newsletter.services.intake import Intake
from newsletter.services.polling import Polling
from newsletter.services.preview import Previews
from newsletter.services.publishing import Publishing

if TYPE_CHECKING:
    from newsletter.rendering.renderer import Renderer


from newsletter.bootstrap.lists import ListRooms


class PressRooms(ListRooms):
    """Briefs, issues, and what is said of them."""

    @cached_property
    def intake(self) -> Intake:
        return Intake(
            newsletters=self.settings.newsletters,
            briefs=self.briefs,
            issues=self._issues,
            decisions=self.decisions,
            clock=self.clock,
        )

    @cached_property
    def polling(self) -> Polling:
        from newsletter.adapters.sources.fetching import Fetcher, Limits
        from newsletter.adapters.sources.polling import HttpSourceReader

        chosen = self.settings.service.polling
        limits = Limits(
            largest_bytes=chosen.largest_bytes,
            seconds=chosen.timeout_seconds,
            allow_hosts=chosen.allow_hosts,
        )
        return Polling(
            intake=self.intake,
            sources=JournaledSources(self.engine),
            reader=HttpSourceReader(Fetcher(limits)),
            clock=self.clock,
            down_after=timedelta(hours=chosen.down_after_hours),
        )

    @cached_property
    def renderer(self) -> Renderer:
        from newsletter.rendering.renderer import Renderer

        return Renderer(self.settings.templates)

    @cached_property
    def publishing(self) -> Publishing:
        return Publishing(
            briefs=self.briefs,
            issues=self._issues,
            renderer=self.renderer,
            decisions=self.decisions,
            base_url=self.settings.public_url,
            clock=self.clock,
        )

    @cached_property
    def preview(self) -> Previews:
        return Previews(
            publishing=self.publishing,
            subscriptions=self.subscriptions,
            base_url=self.settings.public_url,
            to_eml=to_eml,
        )

    @cached_property
    def inquiry(self) -> Explaining:
        return Explaining(
            issues=self._issues, deliveries=self._deliveries, subscriptions=self.subscriptions
        )
