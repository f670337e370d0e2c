"""Webhooks: the endpoints, and what posts to them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from newsletter.container import seams
from newsletter.container.sending import SendingParts

if TYPE_CHECKING:
    from newsletter.ports import PostWebhook
    from newsletter.services.webhook_sending import WebhookSending
    from newsletter.services.webhooks import Webhooks


class WebhookParts(SendingParts):
    """Webhooks: the endpoints, and what posts to them."""

    @cached_property
    def post_webhook(self) -> PostWebhook:
        return seams.open_webhooks(self.settings)

    @cached_property
    def webhook_sending(self) -> WebhookSending:
        from newsletter.core.webhook import PayloadPlaces
        from newsletter.services.webhook_sending import WebhookSending
        from newsletter.stores.webhook_outbox import WebhookOutbox

        api = f"{self.settings.console_url}/api/v1"
        return WebhookSending(
            self.settings.newsletters,
            WebhookOutbox(self.engine),
            post=self.post_webhook,
            places=PayloadPlaces(api=api, web=self.settings.public_url),
            clock=self.clock,
            dice=self.dice,
        )

    @cached_property
    def webhooks(self) -> Webhooks:
        from newsletter.adapters.clock import new_key
        from newsletter.services.webhooks import Webhooks
        from newsletter.stores.webhooks import WebhookStore

        return Webhooks(
            self.settings.newsletters,
            WebhookStore(self.engine),
            self.webhook_sending,
            self.decisions,
            self.clock,
            new_key=new_key,
            practice=self.settings.practice,
        )
