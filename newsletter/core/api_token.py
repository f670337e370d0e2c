"""API tokens: what a program may do through the JSON API, in which newsletters, and until when."""

import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from newsletter.core.sign_in import secret_hash

LIFETIME = timedelta(days=90)  #: of a token, unless something else is said
LONGEST_LIFETIME = timedelta(days=366)
NAME_LENGTH = range(1, 61)  #: characters
USE_IS_RECORDED = timedelta(minutes=1)  #: at most once in so long

_is_token = re.compile(r"nl_([1-9][0-9]{0,17})_([A-Za-z0-9_-]{20,100})").fullmatch
_is_actor = re.compile(r"token:.* \(([0-9]+)\)").fullmatch


class Scope(StrEnum):
    """What a token may do."""

    BRIEFS_READ = "briefs:read"
    BRIEFS_WRITE = "briefs:write"
    ISSUES_READ = "issues:read"
    ISSUES_EDIT = "issues:edit"
    ISSUES_APPROVE = "issues:approve"
    READERS_READ = "readers:read"
    READERS_WRITE = "readers:write"
    EVENTS_READ = "events:read"
    LOG_READ = "log:read"
    WEBHOOKS_WRITE = "webhooks:write"


class TokenActor(str):
    """An actor that is a program: as text its token's name and number, and from where it asks."""

    __slots__ = ("address", "token_id")
    token_id: int
    address: str

    def __new__(cls, name: str, token_id: int, address: str = "") -> Self:
        made = super().__new__(cls, f"token:{name} ({token_id})")
        made.token_id, made.address = token_id, address
        return made

    def __deepcopy__(self, _memo: object) -> Self:
        """Return itself, as text does: records that hold an actor are copied field by field."""
        return self


def is_token_actor(actor: str) -> bool:
    """Return whether whoever acted was a program; no address of a person has a space in it."""
    return _is_actor(actor) is not None


def token_number(actor: str) -> int | None:
    """Return the number of the token that acted; None where it was no program."""
    found = _is_actor(actor)
    return int(found[1]) if found else None


def ends_hold(actor: str | None, held_by: str | None) -> bool:
    """Return whether what this actor says ends a hold; a program ends those of programs only.

    A source, which is nobody, is not a program.
    """
    return not (actor and held_by and is_token_actor(actor)) or is_token_actor(held_by)


@dataclass(frozen=True, kw_only=True)
class ApiToken:
    """A token as it is stored; its secret is not."""

    id: int
    name: str
    scopes: frozenset[Scope]
    newsletters: frozenset[str] | None  #: None: all of them
    created_at: datetime
    created_by: str
    expires_at: datetime
    used_at: datetime | None = None  #: to the minute
    revoked_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at

    def sees(self, newsletter: str) -> bool:
        """Return whether a newsletter exists for this token; a digest is its newsletter's."""
        return self.newsletters is None or newsletter in self.newsletters

    def use_is_due(self, now: datetime) -> bool:
        """Return whether its last use is to be recorded."""
        return self.used_at is None or now - self.used_at >= USE_IS_RECORDED

    def actor(self, address: str) -> TokenActor:
        return TokenActor(self.name, self.id, address)


@dataclass(frozen=True, kw_only=True)
class PresentedToken:
    """A token as a request bears it."""

    id: int
    secret: str

    def matches(self, stored_hash: bytes) -> bool:
        """Return whether the secret is the one of this hash, in a time that says nothing of it."""
        return hmac.compare_digest(secret_hash(self.secret), stored_hash)


def read_token(text: str) -> PresentedToken | None:
    """Return the parts of a token's text; None for what is none."""
    found = _is_token(text)
    return PresentedToken(id=int(found[1]), secret=found[2]) if found else None


def shown_token(token_id: int, secret: str) -> str:
    """Return the text of a token, as it is shown once: scanners for leaks know it by its prefix."""
    return f"nl_{token_id}_{secret}"


def token_fault(name: str, scopes: frozenset[Scope], lifetime: timedelta) -> str | None:
    """Return why there can be no such token; None if there can be."""
    if len(name) not in NAME_LENGTH or not name.isprintable():
        return f"a name has {NAME_LENGTH[0]} to {NAME_LENGTH[-1]} characters on one line"
    if not scopes:
        return "say what it may do: a scope at least"
    if not timedelta() < lifetime <= LONGEST_LIFETIME:
        return f"a token is good for 1 to {LONGEST_LIFETIME.days} days"
    return None
