"""Which token may use which route. Every route declares it; a route that does not is not served.

A route takes one of the callers below (`ReadBriefs`, ...) as its parameter, or is `ANYONE`'s. The
test of routes walks all of them with tokens of every kind.
"""

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
from newsletter.web.declared_routes import declared_as

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

    @property
    def slugs(self) -> frozenset[str]:
        """Return the slugs of those that the token sees."""
        return frozenset(one.slug for one in self.newsletters)

    def newsletter(self, slug: str) -> Newsletter:
        """Return a newsletter; NotFound for one that the token does not see."""
        for one in self.newsletters:
            if one.slug == slug:
                return one
        raise NotFound("there is no such newsletter")

    def within(self, slug: str | None) -> tuple[Newsletter, ...]:
        """Return what a list is about: the newsletter that was asked for, or all of them."""
        return self.newsletters if slug is None else (self.newsletter(slug),)

    def may(self, scope: Scope) -> bool:
        return scope in self.token.scopes

    def require(self, scope: Scope) -> None:
        """Raise the problem of a token that may not do this, either."""
        if not self.may(scope):
            raise _lacks(scope)

    def is_still_admitted(self) -> bool:
        """Return whether the token is good now: what takes its time outlives a revoked one."""
        return self.services.tokens.find(self.bearer) is not None


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
            raise _lacks(self.scope)
        address = request.client.host if request.client else ""
        return Caller(token=token, services=services, address=address, bearer=bearer)

    async def __call__(self, request: Request, _: Annotated[Any, Security(_BEARER)]) -> Caller:
        """Return whom the route's handler admitted."""
        return request.state.caller


def _lacks(scope: Scope) -> ApiProblem:
    return ApiProblem("forbidden", f"the token lacks the scope {scope.value}")


def _bearer(request: Request) -> str:
    """Return the token's text; a request with several of them bears none."""
    given = request.headers.getlist("authorization")
    kind, _, text = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    return text.strip() if kind.casefold() == "bearer" else ""


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
    return declared_as(RequiresToken, route)
