"""What the routes depend on: the services, and the newsletter that a path names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from newsletter.core.publication import Newsletter
from newsletter.core.unsubscribe_mail import UnsubscribeMail
from newsletter.errors import NotFound
from newsletter.services.event_intake import EventIntake
from newsletter.services.people import People
from newsletter.services.public_pages import PublicPages
from newsletter.services.publishing import Publishing
from newsletter.services.signup import SigningUp
from newsletter.services.unsubscribe_mail import UnsubscribeByMail
from newsletter.web.form_tokens import FormTokens
from newsletter.web.min_duration import MIN_SECONDS
from newsletter.web.pages import Pages
from subscribers.subscriptions.service import Subscriptions
from subscribers.sunset.service import Sunsets


@dataclass(frozen=True, kw_only=True)
class WebServices:
    """Everything the routes use; the application's state holds it."""

    newsletters: Mapping[str, Newsletter]
    public_url: str
    now: Callable[[], datetime]
    pages: Pages
    form_tokens: FormTokens
    min_seconds: float = MIN_SECONDS  #: that the answer to a sign-up takes
    publishing: Publishing
    public_pages: PublicPages
    subscriptions: Subscriptions
    unsubscribing: Subscriptions  #: the same on connections that nothing else takes
    people: People
    signup: SigningUp
    sunsets: Sunsets
    event_intake: EventIntake
    unsubscribe_by_mail: UnsubscribeByMail
    read_mail: Callable[[Mapping[str, str]], UnsubscribeMail]
    inbound_key: str | None  #: the password in the URL Inbound Parse posts to; None: none needed
    healthcheck: Callable[[], Mapping[str, bool]]
    metrics: Callable[[], bytes]  #: in Prometheus' text format
    metrics_token: str | None  #: None: only this machine may ask
    doctor_token: Callable[[], str] = lambda: ""  #: of the link that `newsletter doctor` follows
    unanswered: tuple[type[Exception], ...] = ()  #: of a database that is busy, gone or silent
    threads: Mapping[str, int]  #: as many of each duty as it has connections


def services_of(request: Request) -> WebServices:
    """Return what the application was created with."""
    return request.app.state.services


# These are async because FastAPI would run a plain function in a thread, for a mere look-up.
async def _services(request: Request) -> WebServices:
    return services_of(request)


Services = Annotated[WebServices, Depends(_services)]


async def _newsletter(slug: str, services: Services) -> Newsletter:
    if slug not in services.newsletters:
        raise NotFound("there is no such newsletter")
    return services.newsletters[slug]


async def _signup_newsletter(slug: str, services: Services) -> Newsletter:
    return services.signup.newsletter(slug)


NamedNewsletter = Annotated[Newsletter, Depends(_newsletter)]
SignUpNewsletter = Annotated[Newsletter, Depends(_signup_newsletter)]
