"""A house with a sign-up room, whose letters go to the stand-in over HTTP."""

import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from fastapi import FastAPI
from sqlalchemy import Engine, text

from newsletter.adapters.disposable import is_disposable
from newsletter.adapters.sendgrid.mailer import SendGridMailer
from newsletter.adapters.sendgrid.webhook import SendGridEvents
from newsletter.core.operator_alert import Notice
from newsletter.core.publication import Newsletter
from newsletter.core.transactional import CorrespondenceKind
from newsletter.rendering.transactional import NotePress
from newsletter.sandbox.server import Sandbox
from newsletter.services.event_intake import Feedback
from newsletter.services.signup import SigningUp
from newsletter.services.transactional import Correspondence
from newsletter.services.transactional_context import Addressing
from newsletter.settings import shipped
from newsletter.stores.transactional import Outbox
from newsletter.web.app import create_app
from newsletter.web.public.signup_context import SignUpRoom
from subscribers.model import Subscription, Suppression, SuppressionReason
from subscribers.signup.service import SignUps
from subscribers.signup.store import PostgresSignUps
from tests.house import BASE_URL, TECHNOLOGY, TestHouse, open_house
from tests.signing import Seal

READER = "reader@example.com"
PAGE = "/technology/subscribe"
SITE = "https://www.example.org"

_STAMP = re.compile(r'name="stamp" value="([^"]+)"')
_LINK = re.compile(rf"{BASE_URL}(/[capku]/\S+)")


def newsletter(**rules: object) -> Newsletter:
    """Return the shipped newsletter with these sign-up rules."""
    signup = replace(TECHNOLOGY.signup, allow_origins=(SITE,), **rules)  # type: ignore[arg-type]
    return replace(TECHNOLOGY, signup=signup, weekly=None)


@dataclass
class SignUpHouse:
    """The house, its sign-up desk and its correspondence."""

    house: TestHouse
    sandbox: Sandbox
    signups: SignUps
    signing_up: SigningUp
    correspondence: Correspondence
    app: FastAPI
    notices: list[Notice] = field(default_factory=list)

    def deliver(self, to: str = READER) -> list[dict[str, Any]]:
        """Send what waits; return what the address has in its inbox, the newest first."""
        self.correspondence.deliver()
        return [self.sandbox.message(one["id"]) for one in self.sandbox.messages(to)]

    def question(self, subscription_id: int) -> None:
        """Ask a reader whether they still want it, as the sunset does."""
        with self.house.engine.begin() as connection:
            connection.execute(
                text("UPDATE subscription SET asked_at = :now, engaged_on = NULL WHERE id = :id"),
                {"now": self.house.clock.now(), "id": subscription_id},
            )
        self.correspondence.write(CorrespondenceKind.STILL_WANTED, "technology", subscription_id)

    def link(self, to: str = READER) -> str:
        """Return where the newest letter to an address leads: its first link."""
        return links(self.deliver(to)[0])[0]

    def subscription(self, email: str = READER) -> Subscription:
        [found] = self.house.subscriptions.by_email(email)
        return found

    def suppress(self, reason: SuppressionReason, email: str = READER) -> None:
        now = self.house.clock.now()
        said = Suppression(email=email, reason=reason, source="test", since=now)
        self.house.subscriptions.suppress([said])

    def mailable(self) -> list[str]:
        """Return whom an issue would reach."""
        query = "SELECT email FROM audience WHERE exclusion IS NULL ORDER BY email"
        return [row["email"] for row in self.rows(query)]

    def rows(self, query: str, **values: object) -> list[dict[str, Any]]:
        with self.house.engine.begin() as connection:
            return [dict(row) for row in connection.execute(text(query), values).mappings()]


def links(letter: dict[str, Any]) -> list[str]:
    """Return the paths a letter's text leads to, on the house's own site."""
    return _LINK.findall(letter["text"])


def stamp_in(page: str) -> str:
    """Return the stamp of a form."""
    return _STAMP.findall(page)[0]


def open_signups(
    engine: Engine, sandbox: Sandbox, which: Newsletter, base_url: str = BASE_URL
) -> SignUpHouse:
    """Wire it."""
    house, seal = open_house(engine, which), Seal()
    signups = SignUps(PostgresSignUps(engine))
    notices: list[Notice] = []
    mailer = SendGridMailer(api_key="SG.test", host=sandbox.url, timeout=5, clock=house.clock)
    newsletters = {which.slug: which}
    correspondence = Correspondence(
        newsletters=newsletters,
        outbox=Outbox(engine),
        addressing=Addressing(
            subscriptions=house.subscriptions,
            signups=signups,
            issues=house.issues,
            base_url=base_url,
        ),
        press=NotePress(shipped("templates")),
        mailer=lambda: mailer,
        tell=lambda notice, _now: notices.append(notice),
        clock=house.clock,
        lease=timedelta(minutes=3),
    )
    signing_up = SigningUp(
        newsletters=newsletters,
        signups=signups,
        subscriptions=house.subscriptions,
        writer=correspondence,
        forgive=house.events.forgive_soft_bounces,
        is_disposable=is_disposable,
        clock=house.clock,
    )
    app = create_app(
        newsletters=newsletters,
        publishing=house.publishing,
        subscriptions_desk=house.subscriptions,
        feedback=Feedback(
            source=SendGridEvents(seal.public_key),
            events=house.events,
            subscriptions=house.subscriptions,
            clock=house.clock,
        ),
        now=house.clock.now,
        templates=shipped("templates"),
        movers=signing_up,
        signup_room=SignUpRoom(
            signing_up=signing_up,
            forms_key=lambda: signups.forms_key,
            base_url=base_url,
            least_seconds=0.0,
        ),
    )
    return SignUpHouse(house, sandbox, signups, signing_up, correspondence, app, notices)
