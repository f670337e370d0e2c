"""Passwords, codes of apps and their picture, as the vendors' libraries make them."""

from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from newsletter.adapters.staff.passwords import Argon2Passwords
from newsletter.adapters.staff.totp import AuthenticatorCodes

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
#: Of RFC 6238, appendix B: "12345678901234567890", whose code at second 1111111109 ends in 081804.
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
_STEP = 1111111109 // 30
MINUTE = datetime.fromtimestamp(1111111109, UTC)


def test_a_password_is_hashed_with_argon2_and_without_a_hash_never_right():
    passwords = Argon2Passwords()
    hashed = passwords.hash("a wafer, a river")
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3")
    assert passwords.verify("a wafer, a river", hashed)
    assert not passwords.verify("a wafer, a Rhine", hashed)
    assert not passwords.verify("nobody has this password, and it would not help", None)
    assert not passwords.verify("anything", "not a hash")


@pytest.mark.parametrize(
    ("seconds", "holds"), [(-30, True), (0, True), (30, True), (60, False), (-60, False)]
)
def test_a_code_holds_in_its_half_minute_and_in_those_beside_it(seconds: int, holds: bool):
    at = MINUTE + timedelta(seconds=seconds)
    assert AuthenticatorCodes().step_of(SECRET, "081804", at) == (_STEP if holds else None)


@pytest.mark.parametrize("code", ["", "08180", "0818044", "08180²", "０８１８０４", "081 04"])
def test_what_is_no_code_is_none(code: str):
    assert AuthenticatorCodes().step_of(SECRET, code, MINUTE) is None


def test_the_picture_is_one_svg_element_that_scales_and_runs_nothing():
    codes = AuthenticatorCodes()
    picture = codes.qr_svg(codes.new_secret(), "ada@example.org", "Newsletter console")
    root = etree.fromstring(picture)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "viewBox" in root.attrib
    assert not {"width", "height"} & set(root.attrib)
    assert {etree.QName(one).localname for one in root} <= {"title", "path"}
