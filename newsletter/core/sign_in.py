"""Signing in: what an attempt may lead to, and how often one may guess."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from newsletter.core.staff import StaffMember

WINDOW = timedelta(minutes=15)
ATTEMPTS_OF_ACCOUNT = 5  #: failed in the window; then one waits
ATTEMPTS_OF_NETWORK = 20

PENDING = timedelta(minutes=10)  #: between the password and the code
CHALLENGE = timedelta(minutes=5)  #: between the options of a passkey and its answer
INVITATION = timedelta(hours=24)
LINK = timedelta(minutes=15)  #: a sign-in link from the command line
AT_PROVIDER = timedelta(minutes=10)  #: between leaving for the identity provider and coming back
CLOCKS_APART = timedelta(minutes=1)  #: by which a provider's clock may differ from ours

RECOVERY_CODES = 10

#: What is said whatever was wrong, so that nobody learns which accounts there are.
REFUSED = "That did not match. Check what you entered, or use another way to sign in."


#: Said to those whom the provider knows, so that they know whom to ask.
NOT_INVITED = (
    "Nobody with that account is invited here. Ask an owner to invite the address that your "
    "company's sign-in has confirmed."
)
NOT_ASKED_AGAIN = (
    "Your company's sign-in did not ask you again just now, so this does not count. Try again, or "
    "use another way."
)


@dataclass(frozen=True, kw_only=True)
class PasswordAccepted:
    """Half signed in: the password is right, and a code is awaited. This is no session."""

    pending: str


@dataclass(frozen=True, kw_only=True)
class SignInRefused:
    """Not signed in, in the same words for whatever was wrong."""

    sentence: str = REFUSED


@dataclass(frozen=True, kw_only=True)
class Wait:
    """Too many guesses: from this account, or from this network."""

    until: datetime


@dataclass(frozen=True, kw_only=True)
class SignInAccepted:
    """Signed in: the new session's token, for the cookie."""

    token: str
    member: StaffMember


@dataclass(frozen=True, kw_only=True)
class PasskeyOptions:
    """What the browser is asked for: options as JSON, and the ticket that comes back with them."""

    ticket: str
    options: str


@dataclass(frozen=True, kw_only=True)
class ProviderIdentity:
    """Whom the identity provider signed in, as its verified ID token says."""

    issuer: str
    subject: str  #: the provider's own number of the account, which never changes
    email: str = ""  #: "" unless the provider has verified it
    name: str = ""
    authenticated_at: datetime | None = None  #: None where the provider does not say


@dataclass(frozen=True, kw_only=True)
class LinkedIdentity:
    """The account at the identity provider that signs a person in."""

    issuer: str
    subject: str
    linked_at: datetime


@dataclass(frozen=True, kw_only=True)
class ProviderRequest:
    """Where a browser is sent to sign in, and the ticket that only this browser has."""

    url: str
    ticket: str


@dataclass(frozen=True, kw_only=True)
class ProviderSecrets:
    """What ties the provider's answer to one request: it is good once, and here only."""

    state: str  #: comes back with the browser
    nonce: str  #: comes back inside the ID token
    verifier: str  #: of PKCE (RFC 7636): shown by whoever redeems the code


@dataclass(frozen=True, kw_only=True)
class Passkey:
    """A key that a person registered, without what only its verification needs."""

    id: int
    name: str
    added_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class PasskeyMaterial:
    """What a passkey's signature is verified with."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


@dataclass(frozen=True, kw_only=True)
class TotpEnrolment:
    """A secret for an authenticator app, not confirmed yet: as text and as a picture."""

    secret: str
    qr_svg: str


@dataclass(frozen=True, kw_only=True)
class StaffCredentials:
    """Which ways to sign in a person has."""

    password: bool
    totp: bool
    passkeys: tuple[Passkey, ...]
    recovery_codes: int  #: not used yet
    identity: LinkedIdentity | None = None

    @property
    def paired(self) -> bool:
        """Return whether a password with an app signs in."""
        return self.password and self.totp

    @property
    def complete(self) -> bool:
        """Return whether the person can sign in by themselves."""
        return bool(self.passkeys or self.identity or self.paired)


def secret_hash(secret: str) -> bytes:
    """Return what a token or a recovery code is stored as; both are random and long enough."""
    return sha256(secret.encode()).digest()


def email_key(email: str) -> str:
    """Return what a member's address is compared by."""
    return email.strip().casefold()


def code_key(code: str) -> str:
    """Return a typed code without the spaces and dashes that people read it in."""
    return "".join(part for part in code.casefold() if part.isalnum())


def shown_code(secret: str) -> str:
    """Return a recovery code made from a random secret: 20 hexadecimal digits, 80 bits of it."""
    digits = sha256(secret.encode()).hexdigest()[:20]
    return "-".join(digits[at : at + 5] for at in range(0, 20, 5))
