"""Which passwords are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.staff_password import SHORTEST, password_fault


@given(st.text(max_size=SHORTEST - 1))
def test_short_ones_are_refused(password: str):
    assert "at least 12" in (password_fault(password) or "")


TRIED_FIRST = """
    password1234 Password2026! P@ssw0rd1234 passwordpassword 123456789012 1234567890123456
    qwertyuiop12 qwertyuiopasdf administrator iloveyou2026 letmein12345 1qaz2wsx3edc abcdefghijkl
    aaaaaaaaaaaa abababababab Newsletter2026! welcome12345 changeme1234 2026-11-23-2026
    987654321098 correcthorsebatterystaple qwertyqwerty
"""


@pytest.mark.parametrize("password", TRIED_FIRST.split())
def test_those_that_are_tried_first_are_refused(password: str):
    assert "tried first" in (password_fault(password) or "")


@pytest.mark.parametrize(
    "password",
    [
        "a wafer, a river, a foundry",
        "kestrel-mustard-41",
        "tR8#nvQ2!xPw",
        "häuser am großen fluss",
        "пшеница и тихая река",
    ],
)
def test_good_ones_are_not(password: str):
    assert password_fault(password, email="ada@example.org", name="Ada Lovelace") is None


@pytest.mark.parametrize(
    "password", ["ada.lovelace@example.org", "Ada.Lovelace2026", "Ada Lovelace 1", "adalovelace!!"]
)
def test_those_made_of_the_person_are_refused(password: str):
    fault = password_fault(password, email="Ada.Lovelace@example.org", name="Ada Lovelace")
    assert "your own name" in (fault or "")
