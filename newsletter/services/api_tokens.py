"""Tokens of the JSON API: making, finding and revoking them. See docs/how-to/api.md."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta

from newsletter.core.api_token import (
    LIFETIME,
    ApiToken,
    Scope,
    read_token,
    shown_token,
    token_fault,
)
from newsletter.errors import NotAllowed, NotFound
from newsletter.ports import Clock
from newsletter.stores.api_tokens import ApiTokenStore
from newsletter.stores.decisions import DecisionLog


@dataclass(frozen=True, kw_only=True)
class NewApiToken:
    """A token that was just made, with its text, which nobody can be shown again."""

    token: ApiToken
    text: str


@dataclass(eq=False)
class ApiTokens:
    """Makes, finds and revokes tokens."""

    store: ApiTokenStore
    decisions: DecisionLog
    newsletters: Collection[str]  #: without the digests, which go with theirs
    new_secret: Callable[[], str]
    clock: Clock

    def create(
        self,
        name: str,
        scopes: Collection[Scope],
        *,
        newsletters: Collection[str] | None = None,
        lifetime: timedelta = LIFETIME,
        by: str,
    ) -> NewApiToken:
        """Make a token; `newsletters` None is all of them. NotAllowed says what is wrong."""
        name, now = " ".join(name.split()), self.clock.now()
        if fault := token_fault(name, frozenset(scopes), lifetime):
            raise NotAllowed(fault)
        self._check(newsletters)
        token = ApiToken(
            id=0,
            name=name,
            scopes=frozenset(scopes),
            newsletters=None if newsletters is None else frozenset(newsletters),
            created_at=now,
            created_by=by,
            expires_at=now + lifetime,
        )
        secret = self.new_secret()
        token_id = self.store.add(token, secret)
        self.decisions.record(by, f"token {token_id}", "created", {}, after=_shown(token))
        return NewApiToken(token=self.get(token_id), text=shown_token(token_id, secret))

    def find(self, text: str) -> ApiToken | None:
        """Return the token of this text while it is good; None says nothing of why it is not."""
        presented = read_token(text)
        found = self.store.find(presented) if presented else None
        return found if found and found.is_valid(self.clock.now()) else None

    def record_use(self, token: ApiToken) -> None:
        """Record that it is in use; at most once a minute something is written."""
        self.store.record_use(token.id, self.clock.now())

    def get(self, token_id: int) -> ApiToken:
        """Return a token, good or not; NotFound if there is none."""
        found = self.store.get(token_id)
        if found is None:
            raise NotFound(f"there is no token {token_id}")
        return found

    def listed(self) -> tuple[ApiToken, ...]:
        return self.store.all()

    def revoke(self, token_id: int, *, by: str) -> ApiToken:
        """Revoke a token: it is refused from now on."""
        token = self.get(token_id)
        if self.store.revoke(token_id, self.clock.now()):
            self.decisions.record(by, f"token {token_id}", "revoked", {}, before=_shown(token))
        return self.get(token_id)

    def _check(self, newsletters: Collection[str] | None) -> None:
        if newsletters is not None and not newsletters:
            raise NotAllowed("say in which newsletters, or in all of them")
        for slug in newsletters or ():
            if slug not in self.newsletters:
                known = ", ".join(self.newsletters)
                raise NotAllowed(f"no newsletter {slug!r}; choose from: {known}")


def _shown(token: ApiToken) -> dict[str, object]:
    return {
        "name": token.name,
        "scopes": sorted(token.scopes),
        "newsletters": "all" if token.newsletters is None else sorted(token.newsletters),
        "expires_at": token.expires_at.isoformat(),
    }
