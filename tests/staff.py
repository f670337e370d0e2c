"""What tests of the staff share: people who joined, and the codes of their apps."""

from datetime import datetime

import pyotp
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import Engine

from newsletter.adapters.staff.passwords import Argon2Passwords
from newsletter.core.sign_in import PasswordAccepted, SignInAccepted
from newsletter.core.staff import Grant, LoginName, Permission, SignedIn
from tests.authenticator import Authenticator
from tests.container import TestContainer, open_container

SHELL = LoginName("operator")
OWN = Grant(permission=Permission.OWN)
EDIT = Grant(permission=Permission.EDIT, newsletter="technology")
PASSWORD = "a wafer, a river, a foundry"
HERE = "192.0.2.1"


class CountingHashes(Argon2Passwords):
    """Argon2 at its least cost; it counts what was compared."""

    def __init__(self) -> None:
        super().__init__(Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1))
        self.compared = 0

    def verify(self, password: str, hashed: str | None) -> bool:
        self.compared += 1
        return super().verify(password, hashed)


def staff_container(engine: Engine) -> TestContainer:
    container = open_container(engine)
    container.password_hashes = CountingHashes()
    return container


def joined(container: TestContainer, email: str = "o@example.org", *grants: Grant) -> SignedIn:
    """Invite somebody by the command line, and return the session they begin with."""
    token = container.staff_accounts.invite(email, grants or [OWN], by=SHELL)
    accepted = container.staff_accounts.accept(token, "Ada", address=HERE, device="test")
    assert isinstance(accepted, SignInAccepted)
    return session_of(container, accepted.token)


def session_of(container: TestContainer, token: str) -> SignedIn:
    found = container.staff_sessions.find(token, container.clock.now())
    assert found
    return found


def with_password(container: TestContainer, email: str = "o@example.org") -> tuple[SignedIn, str]:
    """Return somebody with a password and an app, and the app's secret; its last code is old."""
    signed_in = joined(container, email)
    assert container.staff_credentials.set_password(signed_in, PASSWORD) is None
    secret = container.staff_credentials.offer_totp(signed_in).secret
    assert container.staff_credentials.confirm_totp(signed_in, code(container, secret))
    container.clock.pass_time(seconds=60)
    return signed_in, secret


def with_passkey(
    container: TestContainer, email: str = "o@example.org"
) -> tuple[SignedIn, Authenticator]:
    signed_in = joined(container, email)
    device = Authenticator(container.settings.console_url)
    asked = container.staff_credentials.passkey_options(signed_in)
    answer = device.create(asked.options)
    assert container.staff_credentials.add_passkey(signed_in, asked.ticket, answer, "laptop")
    return signed_in, device


def code(container: TestContainer, secret: str, at: datetime | None = None) -> str:
    return pyotp.TOTP(secret).at(at or container.clock.now())


def pending(container: TestContainer, email: str = "o@example.org", address: str = HERE) -> str:
    accepted = container.signing_in.by_password(email, PASSWORD, address=address)
    assert isinstance(accepted, PasswordAccepted)
    return accepted.pending
