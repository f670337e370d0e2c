"""Who belongs to the staff, and with which rights.

The command line may do all of this; at the console an owner may, and nobody to themselves.
See docs/decisions/staff-permissions.md.
"""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from newsletter.core.sign_in import INVITATION, LINK, SignInAccepted, SignInRefused
from newsletter.core.staff import (
    Grant,
    LoginName,
    Permission,
    SignedIn,
    StaffMember,
    grant_fault,
    may,
)
from newsletter.errors import ConfirmationNeeded, NotAllowed, NotFound
from newsletter.ports import Clock
from newsletter.services.staff_sessions import StaffSessions
from newsletter.stores.decisions import DecisionLog
from newsletter.stores.sign_in_attempts import SignInAttemptStore
from newsletter.stores.staff import StaffStore
from newsletter.stores.staff_tokens import FormKeyStore, StaffTokenStore, TokenPurpose

#: Who changes the staff: somebody signed in, or whoever has the machine.
By = SignedIn | LoginName

NAME_LENGTH = 100  #: of a person's

_is_address = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+").fullmatch


@dataclass(eq=False)
class StaffAccounts:
    """Invites people, and changes what they may do."""

    staff: StaffStore
    tokens: StaffTokenStore
    attempts: SignInAttemptStore
    forms: FormKeyStore
    sessions: StaffSessions
    decisions: DecisionLog
    newsletters: Collection[str]
    new_token: Callable[[], str]
    clock: Clock

    def members(self) -> tuple[StaffMember, ...]:
        return self.staff.members()

    def member(self, member_id: int) -> StaffMember:
        """Return a person; NotFound if there is none, or they were removed."""
        return _found(self.staff.member(member_id))

    def by_email(self, email: str) -> StaffMember:
        return _found(self.staff.by_email(email))

    def invite(self, email: str, grants: Iterable[Grant], *, by: By) -> str:
        """Invite a person and return the token of their link, good once within 24 hours."""
        self._authorize(by, None)
        wanted = frozenset(grants)
        self._check(wanted)
        if not _is_address(email.strip()):
            raise NotAllowed(f"not an address: {email!r}")
        staff_id = self.staff.invite(email, wanted, self.clock.now())
        if staff_id is None:
            raise NotAllowed(f"{email} belongs to the staff already: change the roles instead")
        token, expires_at = self.new_token(), self.clock.now() + INVITATION
        self.tokens.add(token, TokenPurpose.INVITATION, staff_id, expires_at=expires_at)
        self._record(by, staff_id, "invited", after=(email, wanted))
        return token

    def invitation(self, token: str) -> StaffMember | None:
        """Return whom an invitation is for, and leave it as it is; None if it is not good."""
        found = self.tokens.look(token, TokenPurpose.INVITATION, self.clock.now())
        return self.staff.member(found.staff_id) if found and found.staff_id else None

    def accept(
        self, token: str, name: str, *, address: str = "", device: str = ""
    ) -> SignInAccepted | SignInRefused:
        """Accept an invitation and sign in, to add a passkey, or a password and an app."""
        now = self.clock.now()
        found = self.tokens.take(token, TokenPurpose.INVITATION, now)
        if found is None or found.staff_id is None:
            return SignInRefused(
                sentence="This invitation was used, or is too old: ask for another."
            )
        if not self.staff.accept(found.staff_id, " ".join(name.split())[:NAME_LENGTH], now):
            return SignInRefused()
        member = self.member(found.staff_id)
        started = self.sessions.start(member, address=address, device=device)
        if signed_in := self.sessions.find(started, now):
            self.decisions.record(signed_in.actor, f"staff {member.id}", "accepted", {})
        return SignInAccepted(token=started, member=member)

    def grant(self, member_id: int, grant: Grant, *, by: By) -> StaffMember:
        """Add a role; it ends the person's sessions."""
        self._check([grant])
        return self._change(member_id, by, add=[grant])

    def revoke(self, member_id: int, grant: Grant, *, by: By) -> StaffMember:
        """Take a role away; it ends the person's sessions. The last owner stays one."""
        return self._change(member_id, by, drop=[grant])

    def set_roles(
        self,
        member_id: int,
        grants: Collection[Grant],
        *,
        by: By,
        expecting: Collection[Grant] | None = None,
    ) -> StaffMember:
        """Give a person these roles and no others; it ends their sessions. The last owner stays.

        NotAllowed where their roles are not the `expecting` ones any more: an old page would give
        back what somebody took away since.
        """
        self._authorize(by, member_id)
        self._check(grants)
        wanted, present = frozenset(grants), self.member(member_id).grants
        if expecting is not None and present != frozenset(expecting):
            raise NotAllowed("somebody changed their roles since you looked: look at them again")
        if wanted == present:
            return self.member(member_id)
        return self._change(member_id, by, add=wanted - present, drop=present - wanted)

    def set_login_name(
        self, member_id: int, login_name: str | None, *, by: LoginName
    ) -> StaffMember:
        """Declare who a login of the command line is; one login is one person's. None: no longer.

        Only the command line says so: it alone knows its logins.
        """
        before, login_name = self.member(member_id), (login_name or "").strip() or None
        if not self.staff.set_login_name(member_id, login_name):
            raise NotAllowed(f"the login {login_name} is declared as somebody else's")
        self.decisions.record(
            by,
            f"staff {member_id}",
            "login name set",
            {},
            before={"login_name": before.login_name or ""},
            after={"login_name": login_name or ""},
        )
        return self.member(member_id)

    def remove(self, member_id: int, *, by: By) -> None:
        """Remove a person with all credentials and sessions; the last owner cannot be removed."""
        self._authorize(by, member_id)
        member = self.member(member_id)
        if not self.staff.remove(member_id, self.clock.now()):
            raise NotAllowed(_LAST_OWNER)
        self._record(by, member_id, "removed", before=(member.email, member.grants))

    def link(self, email: str, *, by: LoginName) -> str:
        """Return the token of a sign-in link, good once within 15 minutes.

        Only the command line makes one: it is for an owner who is locked out, and for a demo.
        """
        member = self.by_email(email)
        if member.accepted_at is None:
            raise NotAllowed(f"{member.email} has not accepted the invitation: invite them again")
        token, expires_at = self.new_token(), self.clock.now() + LINK
        self.tokens.add(token, TokenPurpose.LINK, member.id, expires_at=expires_at)
        self._record(by, member.id, "sign-in link made")
        return token

    def rename(self, signed_in: SignedIn, name: str) -> str:
        """Change one's own name, as colleagues see it; return it. NotAllowed for none at all."""
        member, called = signed_in.member, " ".join(name.split())[:NAME_LENGTH]
        if not called:
            raise NotAllowed("a name has a letter at least")
        if called != member.name:
            self.staff.rename(member.id, called)
            before, after = {"name": member.name}, {"name": called}
            subject = f"staff {member.id}"
            self.decisions.record(
                signed_in.actor, subject, "renamed", {}, before=before, after=after
            )
        return called

    def sign_out(self, member_id: int, *, by: By) -> int:
        """End all sessions of a person; one's own, or as an owner."""
        if not (isinstance(by, SignedIn) and by.member.id == member_id):
            self._authorize(by, member_id)
        self.member(member_id)
        ended = self.sessions.end_all(member_id)
        self.decisions.record(
            _actor(by), f"staff {member_id}", "signed out everywhere", {"sessions": ended}
        )
        return ended

    def delete_expired(self) -> int:
        """Delete sessions, links, attempts and form keys that are of no use any more."""
        now = self.clock.now()
        return sum(
            one(now)
            for one in (
                self.sessions.store.delete_over,
                self.tokens.delete_expired,
                self.attempts.delete_old,
                self.forms.delete_old,
            )
        )

    def _change(
        self, member_id: int, by: By, *, add: Collection[Grant] = (), drop: Collection[Grant] = ()
    ) -> StaffMember:
        self._authorize(by, member_id)
        before = self.member(member_id)
        if not self.staff.change_grants(member_id, add=add, drop=drop):
            raise NotAllowed(_LAST_OWNER)
        self.sessions.end_all(member_id)
        after = self.member(member_id)
        self._record(
            by,
            member_id,
            "roles changed",
            before=(before.email, before.grants),
            after=(after.email, after.grants),
        )
        return after

    def _authorize(self, by: By, member_id: int | None) -> None:
        """Raise NotAllowed unless this may be done; the rights are those of this moment."""
        if isinstance(by, LoginName):
            return
        if by.member.id == member_id:
            raise NotAllowed("nobody changes their own rights: ask another owner")
        now = self.staff.member(by.member.id)
        if now is None or not may(now, Permission.OWN, None):
            raise NotAllowed("only an owner may do that")
        if not by.is_fresh(self.clock.now()):
            raise ConfirmationNeeded

    def _check(self, grants: Collection[Grant]) -> None:
        if not grants:
            raise NotAllowed("say which role")
        for grant in grants:
            if fault := grant_fault(grant):
                raise NotAllowed(fault)
            if grant.newsletter is not None and grant.newsletter not in self.newsletters:
                known = ", ".join(self.newsletters)
                raise NotAllowed(f"no newsletter {grant.newsletter!r}; choose from: {known}")

    def _record(
        self,
        by: By,
        member_id: int,
        verb: str,
        *,
        before: tuple[str, Iterable[Grant]] | None = None,
        after: tuple[str, Iterable[Grant]] | None = None,
    ) -> None:
        self.decisions.record(
            _actor(by),
            f"staff {member_id}",
            verb,
            {},
            before=before and _shown(*before),
            after=after and _shown(*after),
        )


_LAST_OWNER = "this is the last owner: make somebody else an owner first"


def _found(member: StaffMember | None) -> StaffMember:
    if member is None:
        raise NotFound("nobody of the staff is called that")
    return member


def _actor(by: By) -> str:
    return by.actor if isinstance(by, SignedIn) else by


def _shown(email: str, grants: Iterable[Grant]) -> dict[str, object]:
    return {"email": email, "roles": sorted(map(str, grants))}
