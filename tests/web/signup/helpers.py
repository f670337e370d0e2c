"""A container whose transactional emails go to the sandbox over HTTP."""

import re
from dataclasses import replace
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Engine, text

from newsletter.core.publication import Newsletter
from newsletter.core.transactional import TransactionalKind
from newsletter.sandbox.server import Sandbox
from subscribers.model import Subscription, Suppression, SuppressionReason
from tests.container import TestContainer, open_container
from tests.settings import BASE_URL, TECHNOLOGY, settings_for, with_digest

READER = "reader@example.com"
PAGE = "/technology/subscribe"
SITE = "https://www.example.org"

_FORM_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')
_LINK = re.compile(rf"{BASE_URL}(/[capku]/\S+)")


def newsletter(**rules: object) -> Newsletter:
    """Return the shipped newsletter with these sign-up rules."""
    signup = replace(TECHNOLOGY.signup, allow_origins=(SITE,), **rules)  # type: ignore[arg-type]
    return replace(TECHNOLOGY, signup=signup, weekly=None)


class SignUpContainer(TestContainer):
    """A container, and what the tests of sign-ups do with it."""

    __test__ = False
    sandbox: Sandbox

    def deliver(self, to: str = READER) -> list[dict[str, Any]]:
        """Send what waits, one by one; return what the address has in its inbox, newest first."""
        self.transactional.at_once = 1
        self.transactional.send_waiting()
        return [self.sandbox.message(one["id"]) for one in self.sandbox.messages(to)]

    def question(self, subscription_id: int) -> None:
        """Ask a reader whether they still want it, as the sunset does."""
        self.query(
            "UPDATE subscription SET asked_at = :now, engaged_on = NULL WHERE id = :id",
            now=self.clock.now(),
            id=subscription_id,
        )
        self.transactional.queue(TransactionalKind.STILL_WANTED, "technology", subscription_id)

    def link(self, to: str = READER) -> str:
        """Return where the newest letter to an address leads: its first link."""
        return links(self.deliver(to)[0])[0]

    def subscription(self, email: str = READER) -> Subscription:
        [found] = self.subscriptions.by_email(email)
        return found

    def suppress(self, reason: SuppressionReason, email: str = READER) -> None:
        now = self.clock.now()
        self.subscriptions.suppress(
            [Suppression(email=email, reason=reason, source="test", since=now)]
        )

    def mailable(self) -> list[str]:
        """Return whom an issue would reach."""
        rows = self.query("SELECT email FROM audience WHERE exclusion IS NULL ORDER BY email")
        return [email for (email,) in rows]

    def select(self, query: str, **values: object) -> list[dict[str, Any]]:
        """Return the rows of a query by the names of their columns."""
        with self.engine.begin() as connection:
            return [dict(row) for row in connection.execute(text(query), values).mappings()]


def links(letter: dict[str, Any]) -> list[str]:
    """Return the paths a letter's text leads to, on the newsletter's own site."""
    return _LINK.findall(letter["text"])


def form_token_in(page: str) -> str:
    """Return the token of a form."""
    return _FORM_TOKEN.findall(page)[0]


def open_signups(
    engine: Engine, sandbox: Sandbox, which: Newsletter, base_url: str = BASE_URL
) -> SignUpContainer:
    """Return a container of this newsletter; answers to sign-ups take no minimum of time."""
    environment = {
        "public_url": base_url,
        "sendgrid_host": sandbox.url,
        "sendgrid_api_key": SecretStr("SG.test"),
    }
    settings = settings_for(with_digest(which), environment=environment)
    container = open_container(engine, settings=settings, cls=SignUpContainer)
    container.sandbox = sandbox
    container.web_services = replace(container.web_services, min_seconds=0.0)
    return container
