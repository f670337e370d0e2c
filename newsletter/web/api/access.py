"""Which token may use which route. Every route declares it; a route that does not is not served.

A route takes one of the callers below (`ReadBriefs`, ...) as its parameter, or is `ANYONE`'s. The
test of routes walks all of them with tokens of every kind.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer

from newsletter.core.api_token import ApiToken, Scope, TokenActor
from newsletter.core.publication import Newsletter
from newsletter.errors import NotFound
from newsletter.web.api.dependencies import ApiServices, api_services_of
from newsletter.web.api.problems import ApiProblem

_BEARER = HTTPBearer(auto_error=False, description="A token that `newsletter tokens` made.")


@dataclass(frozen=True, kw_only=True)
class Caller:
    """A request that bears a token which may make it."""

    token: ApiToken
    services: ApiServices
    address: str  #: the network address it came from
    bearer: str = field(repr=False)  #: the token's text

    @property
    def actor(self) -> TokenActor:
        """Return who acts, as the log names them, with the network address."""
        return self.token.actor(self.address)

    @property
    def newsletters(self) -> tuple[Newsletter, ...]:
        """Return those that the token sees, each before its digest."""
        every = self.services.newsletters.values()
        return tuple(one for one in every if self.token.sees(one.readers.newsletter))

    def newsletter(self, slug: str) -> Newsletter:
        """Return a newsletter; NotFound for one that the token does not see."""
        for one in self.newsletters:
            if one.slug == slug:
                return one
        raise NotFound("there is no such newsletter")


@dataclass(frozen=True)
class RequiresToken:
    """The dependency of a route on a token with this scope."""

    scope: Scope | None  #: None: whatever the token may do
    others: frozenset[Scope] = frozenset()  #: each of which will do as well

    def admit(self, request: Request) -> Caller:
        """Return the caller, before anything else of the request is read; or raise the problem."""
        services = api_services_of(request)
        bearer = _bearer(request)
        token = services.tokens.find(bearer)
        if token is None:
            raise ApiProblem("token", headers={"WWW-Authenticate": "Bearer"})
        if self.scope and not token.scopes & {self.scope, *self.others}:
            raise ApiProblem("forbidden", f"the token lacks the scope {self.scope.value}")
        address = request.client.host if request.client else ""
        return Caller(token=token, services=services, address=address, bearer=bearer)

    async def __call__(self, request: Request, _: Annotated[Any, Security(_BEARER)]) -> Caller:
        """Return whom the route's handler admitted."""
        return request.state.caller


def _bearer(request: Request) -> str:
    """Return the token's text; a request with several of them bears none."""
    given = request.headers.getlist("authorization")
    kind, _, text = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    return text.strip() if kind.casefold() == "bearer" else ""


def anyone() -> None:
    """Mark a route that needs no token."""


ANYONE = Depends(anyone)

AnyToken = Annotated[Caller, Depends(RequiresToken(None))]
ReadBriefs = Annotated[Caller, Depends(RequiresToken(Scope.BRIEFS_READ))]
WriteBriefs = Annotated[Caller, Depends(RequiresToken(Scope.BRIEFS_WRITE))]
ReadIssues = Annotated[Caller, Depends(RequiresToken(Scope.ISSUES_READ))]
EditIssues = Annotated[Caller, Depends(RequiresToken(Scope.ISSUES_EDIT))]
ApproveIssues = Annotated[Caller, Depends(RequiresToken(Scope.ISSUES_APPROVE))]
#: Whoever may edit or approve may stop.
StopIssues = Annotated[
    Caller, Depends(RequiresToken(Scope.ISSUES_EDIT, frozenset({Scope.ISSUES_APPROVE})))
]
ReadReaders = Annotated[Caller, Depends(RequiresToken(Scope.READERS_READ))]
WriteReaders = Annotated[Caller, Depends(RequiresToken(Scope.READERS_WRITE))]
ReadEvents = Annotated[Caller, Depends(RequiresToken(Scope.EVENTS_READ))]
ReadLog = Annotated[Caller, Depends(RequiresToken(Scope.LOG_READ))]
WriteWebhooks = Annotated[Caller, Depends(RequiresToken(Scope.WEBHOOKS_WRITE))]


def declared(route: APIRoute) -> RequiresToken | None:
    """Return what a route requires, None for anyone's; LookupError if it does not say."""
    calls: Iterable[Any] = [one.call for one in route.dependant.dependencies]
    for call in calls:
        if isinstance(call, RequiresToken):
            return call
        if call is anyone:
            return None
    raise LookupError(f"{route.path} does not declare which token may use it")
