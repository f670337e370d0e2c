"""Who may use which page. Every route declares it; a route that does not is not served.

A route takes one of the visits below (`See`, `Edit`, ...) as its parameter, or is `ANYONE`'s. The
test of routes walks all of them with every role. See docs/decisions/permissions-are-declared.md.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from markupsafe import Markup

from newsletter.adapters.clock import new_id
from newsletter.core.next_step import DayOfWeek
from newsletter.core.publication import Newsletter, day_of
from newsletter.core.staff import Permission, SignedIn, StaffMember, may
from newsletter.core.stored import IssueStatus
from newsletter.errors import ConfirmationNeeded, NewsletterError, NotFound
from newsletter.web.console.dependencies import ConsoleServices, console_services_of
from newsletter.web.console.devices import is_phone
from newsletter.web.console.navigation import NavigationEntry, entries
from newsletter.web.declared_routes import declared_as
from subscribers.db.read_only import read_only
from subscribers.model import EVERYTHING, TopicSet

SESSION_COOKIE = "session"  #: with the prefix __Host- where the console is served over https


_DAY_WORDS = {
    IssueStatus.EMPTY: "empty",
    IssueStatus.DRAFT: "draft",
    IssueStatus.APPROVED: "approved",
    IssueStatus.SENDING: "leaving",
    IssueStatus.PAUSED: "stopped",
    IssueStatus.SENT: "left",
    IssueStatus.CANCELLED: "cancelled",
    IssueStatus.MISSED: "missed",
}


class SignInNeeded(NewsletterError):
    """Nobody is signed in, or it was too long ago."""


class NotPermitted(NewsletterError):
    """The person may see this newsletter, and not do this."""

    def __init__(self, permission: Permission) -> None:
        super().__init__(f"this needs the permission {permission}")
        self.permission = permission


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A request of somebody who is signed in, and may make it."""

    signed: SignedIn
    services: ConsoleServices
    newsletter: Newsletter | None  #: None: the page is of no one newsletter
    token: str  #: of the session
    address: str  #: the network address it came from

    @property
    def member(self) -> StaffMember:
        return self.signed.member

    @property
    def actor(self) -> str:
        """Return who acts, as the log names them: with account, session and network address."""
        return self.signed.actor

    @property
    def now(self) -> datetime:
        return self.services.now()

    @property
    def here(self) -> Newsletter:
        """Return the newsletter that the path names."""
        assert self.newsletter is not None
        return self.newsletter

    @property
    def today(self) -> date:
        """Return the date where the newsletter is made."""
        return day_of(self.here.timetable, self.now)

    @property
    def zone(self) -> str:
        """Return the newsletter's time zone, in which the page shows every moment."""
        return self.here.timetable.zone

    def issue_url(self, on: date) -> str:
        """Return the address of an issue's page, without the origin."""
        return f"/{self.here.slug}/issues/{on}"

    @property
    def more(self) -> str:
        """Return the path of the page with the links that a phone's bar has no room for."""
        return f"/{self.newsletter.slug}/more" if self.newsletter else "/account"

    def navigation(self, path: str) -> tuple[NavigationEntry, ...]:
        return tuple(entries(self.newsletter.slug, path)) if self.newsletter else ()

    @property
    def newsletters(self) -> tuple[Newsletter, ...]:
        """Return those that the person may see."""
        return self.services.seen_by(self.member)

    def topic(self, slug: str) -> str:
        """Return a topic's title; of one that is no more, its slug."""
        return next((one.title for one in self.here.topics if one.slug == slug), slug)

    def choice(self, topics: TopicSet) -> str | Markup:
        """Return the titles of chosen topics, as people read them."""
        if EVERYTHING in topics.slugs:
            return self.services.pages.words("frame.everything")
        words = self.services.pages.words
        without = [one.title for one in self.here.topics if one.slug not in topics.slugs]
        if len(without) < len(topics.slugs):
            return words("frame.all_but", topics=", ".join(without))
        return ", ".join(map(self.topic, sorted(topics.slugs)))

    def day_word(self, day: DayOfWeek) -> str:
        """Return the name of the word for a day of the week and its issue."""
        if day.state:
            return _DAY_WORDS[day.state]
        return "due" if day.is_due and day.on >= self.today else "none"

    @staticmethod
    def form_key() -> str:
        """Return a new key for a form that must be done once only."""
        return new_id()

    def may(self, permission: Permission) -> bool:
        """Return whether a page should offer what needs this permission."""
        return may(self.member, permission, self.newsletter and self.newsletter.readers.newsletter)


def prove(request: Request, visit: Visit) -> None:
    """Raise ConfirmationNeeded after an older sign-in, and on a phone unless confirmed just now.

    A press in a pocket is no decision. In practice nothing can leave, and nobody is asked.
    """
    if not visit.signed.is_fresh(visit.now):
        raise ConfirmationNeeded
    asked = is_phone(request.headers) and not visit.services.practice
    if asked and not visit.signed.is_confirmed(visit.now):
        raise ConfirmationNeeded


def proof_is_spent(request: Request, visit: Visit) -> None:
    """Let what was confirmed on a phone count for this one act."""
    if is_phone(request.headers) and not visit.services.practice:
        visit.services.sessions.spend(visit.signed)


@dataclass(frozen=True)
class Needs:
    """The dependency of a route on somebody who is signed in and may do this."""

    permission: Permission | None  #: None: whoever is signed in
    fresh: bool = False  #: signed in, or confirmed, within the last minutes
    proven_late: bool = False  #: the route asks for it by `prove`, once it kept what was ticked

    def __call__(self, request: Request) -> Visit:
        """Return the visit; or raise SignInNeeded, NotFound, NotPermitted, ConfirmationNeeded."""
        services = console_services_of(request)
        token = request.cookies.get(cookie_name(services.url), "")
        with read_only(False):  # the session's last use is recorded, whatever is asked
            signed = services.sessions.find(token, services.now())
        if signed is None:
            raise SignInNeeded("nobody is signed in")
        if services.practice:
            signed = replace(signed, fresh_at=services.now())
        slug = request.path_params.get("slug")
        newsletter = _newsletter(services, signed.member, slug)
        if self.permission and not may(signed.member, self.permission, services.scope_of(slug)):
            raise NotPermitted(self.permission)
        if self.fresh and not self.proven_late and not signed.is_fresh(services.now()):
            raise ConfirmationNeeded
        return Visit(
            signed=signed,
            services=services,
            newsletter=newsletter,
            token=token,
            address=network_address(request),
        )


def _newsletter(
    services: ConsoleServices, member: StaffMember, slug: str | None
) -> Newsletter | None:
    """Return the newsletter; one that the person may not see does not exist for them."""
    if slug is None:
        return None
    if slug not in services.newsletters or not may(member, Permission.SEE, services.scope_of(slug)):
        raise NotFound("there is no such newsletter")
    return services.newsletters[slug]


SignedInVisit = Annotated[Visit, Depends(Needs(None))]
SignedInFresh = Annotated[Visit, Depends(Needs(None, fresh=True))]
See = Annotated[Visit, Depends(Needs(Permission.SEE))]
Edit = Annotated[Visit, Depends(Needs(Permission.EDIT))]
SendBack = Annotated[Visit, Depends(Needs(Permission.APPROVE))]
Approve = Annotated[Visit, Depends(Needs(Permission.APPROVE, fresh=True))]
ApproveTicked = Annotated[Visit, Depends(Needs(Permission.APPROVE, fresh=True, proven_late=True))]
Stop = Annotated[Visit, Depends(Needs(Permission.STOP))]
KeepList = Annotated[Visit, Depends(Needs(Permission.KEEP_LIST))]
KeepListFresh = Annotated[Visit, Depends(Needs(Permission.KEEP_LIST, fresh=True))]
Own = Annotated[Visit, Depends(Needs(Permission.OWN))]
OwnFresh = Annotated[Visit, Depends(Needs(Permission.OWN, fresh=True))]


def declared(route: APIRoute) -> Needs | None:
    """Return what a route needs, None for anyone's; LookupError if it does not say."""
    return declared_as(Needs, route)


def cookie_name(url: str, name: str = SESSION_COOKIE) -> str:
    """Return the name of a cookie of ours; browsers keep `__Host-` ones to one https host."""
    return f"__Host-{name}" if url.startswith("https://") else name


def network_address(request: Request) -> str:
    return request.client.host if request.client else ""
