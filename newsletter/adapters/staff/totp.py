"""Codes of authenticator apps: TOTP (RFC 6238) by pyotp, and the picture to scan by segno."""

import hmac
import io
from datetime import datetime

import pyotp
import segno
from pyotp.totp import TOTP

_SECONDS = 30  #: of a time step
_DIGITS = 6


class AuthenticatorCodes:
    """Makes secrets for authenticator apps, and recognizes their codes."""

    def new_secret(self) -> str:
        return pyotp.random_base32()

    def qr_svg(self, secret: str, email: str, issuer: str) -> str:
        """Return the picture that an app scans, as an SVG element without width and height."""
        address = TOTP(secret).provisioning_uri(name=email, issuer_name=issuer)
        picture = io.BytesIO()
        segno.make(address, error="m", micro=False).save(
            picture, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=4, title="QR code"
        )
        return picture.getvalue().decode("utf-8").strip()

    def step_of(self, secret: str, code: str, now: datetime) -> int | None:
        """Return the time step that a code is of: this one, or one beside it; None if none."""
        if len(code) != _DIGITS or not code.isascii() or not code.isdigit():
            return None
        totp, step = TOTP(secret), int(now.timestamp()) // _SECONDS
        for candidate in (step, step - 1, step + 1):
            if hmac.compare_digest(totp.generate_otp(candidate), code):
                return candidate
        return None
