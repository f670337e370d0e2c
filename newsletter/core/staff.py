"""Staff: the people of the console, what each of them may do, and their sessions.

See docs/decisions/staff-permissions.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

IDLE = timedelta(minutes=60)  #: a session that was not used for so long has ended
LONGEST = timedelta(hours=12)  #: a session ends after this, however much it is used
PROOF = timedelta(minutes=5)  #: so long a confirmation counts for one approval from a phone
FRESH = timedelta(minutes=15)  #: so long after a sign-in dangerous things may be done


class Permission(StrEnum):
    """What a member of staff may do with a newsletter, named as deeds.

    Nobody is granted *stop* by itself: whoever may edit or approve may stop.
    """

    SEE = "see"
    STOP = "stop"
    EDIT = "edit"
    APPROVE = "approve"
    KEEP_LIST = "keep-list"
    OWN = "own"


_IMPLIED: dict[Permission, frozenset[Permission]] = {
    Permission.SEE: frozenset(),
    Permission.STOP: frozenset({Permission.SEE}),
    Permission.EDIT: frozenset({Permission.SEE, Permission.STOP}),
    Permission.APPROVE: frozenset({Permission.SEE, Permission.STOP}),
    Permission.KEEP_LIST: frozenset({Permission.SEE}),
    Permission.OWN: frozenset(Permission),
}

#: The roles: what a person can be granted.
ROLES = tuple(one for one in Permission if one is not Permission.STOP)


def implied(permission: Permission) -> frozenset[Permission]:
    """Return all that whoever has this permission may do, with it."""
    return _IMPLIED[permission] | {permission}


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A role in one newsletter, or in all of them."""

    permission: Permission
    newsletter: str | None = None  #: None: all newsletters, and what belongs to none

    def __str__(self) -> str:
        return f"{self.permission.value} {self.newsletter or '*'}"


def grant_fault(grant: Grant) -> str | None:
    """Return why this cannot be granted; None if it can be."""
    if grant.permission not in ROLES:
        return f"{grant.permission.value} is no role: whoever may edit or approve may stop"
    if grant.permission is Permission.OWN and grant.newsletter is not None:
        return "own concerns people and settings, which belong to no newsletter: grant it for all"
    return None


@dataclass(frozen=True, kw_only=True)
class StaffMember:
    """A person who may sign in to the console; invited only, until the invitation is accepted."""

    id: int
    email: str
    name: str = ""
    grants: frozenset[Grant] = frozenset()
    accepted_at: datetime | None = None
    login_name: str | None = None  #: of this person at the command line; None: nobody declared it
    epoch: int = 0  #: counts the changes of credentials; a sign-in begun before one is void


def may(member: StaffMember, permission: Permission, newsletter: str | None) -> bool:
    """Return whether a person may do this in a newsletter; None is what belongs to no newsletter.

    A weekly digest has its readers, and so its rights, from the newsletter it is the digest of.
    """
    return any(
        grant.newsletter in (None, newsletter) and permission in implied(grant.permission)
        for grant in member.grants
    )


def newsletters_where(
    member: StaffMember, permission: Permission, newsletters: Iterable[str]
) -> tuple[str, ...]:
    """Return those of the newsletters in which a person may do this."""
    return tuple(slug for slug in newsletters if may(member, permission, slug))


class LoginName(str):
    """An actor of the command line: whoever has the machine."""

    __slots__ = ()


class StaffActor(str):
    """An actor of the console: the address, by which account and session, and from where."""

    __slots__ = ("address", "session_id", "staff_id")
    staff_id: int
    session_id: int | None
    address: str

    def __new__(
        cls, email: str, *, staff_id: int, session_id: int | None = None, address: str = ""
    ) -> Self:
        """Return the actor; as text it is the address, as every log has it."""
        made = super().__new__(cls, email)
        made.staff_id, made.session_id, made.address = staff_id, session_id, address
        return made

    def __deepcopy__(self, _memo: object) -> Self:
        """Return itself, as text does: records that hold an actor are copied field by field."""
        return self


def one_person(actor: str, members: Iterable[StaffMember]) -> str | None:
    """Return what is the same for all that one person acts as: their address, folded.

    None for a login of the command line that no member of staff declared: it may be anybody; and
    for a program, whatever its token is called. An address of somebody who was removed since stays
    their own.
    """
    for member in members:
        if actor == member.login_name:
            return member.email.casefold()
        if not isinstance(actor, LoginName) and actor.casefold() == member.email.casefold():
            return member.email.casefold()
    if isinstance(actor, LoginName) or "@" not in actor or " " in actor:
        return None
    return actor.casefold()


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """A person's session at the console."""

    id: int
    member: StaffMember
    signed_in_at: datetime
    seen_at: datetime
    fresh_at: datetime  #: of the last sign-in or confirmation
    address: str
    device: str

    @property
    def fresh_until(self) -> datetime:
        return self.fresh_at + FRESH

    @property
    def actor(self) -> StaffActor:
        """Return what services record as whoever did it."""
        return StaffActor(
            self.member.email,
            staff_id=self.member.id,
            session_id=self.id,
            address=self.address,
        )

    def is_fresh(self, now: datetime) -> bool:
        """Return whether dangerous things may be done without another confirmation."""
        return now < self.fresh_until

    def is_confirmed(self, now: datetime) -> bool:
        """Return whether the person showed just now that they are there, and not by the sign-in."""
        return self.signed_in_at < self.fresh_at and now < self.fresh_at + PROOF

    def is_over(self, now: datetime) -> bool:
        return now >= min(self.seen_at + IDLE, self.signed_in_at + LONGEST)
