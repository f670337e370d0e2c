"""Obvious slips are seen, and whoever has an unusual address is not asked about it."""

import pytest

from subscribers.rules.address_slips import likely_slip
from subscribers.rules.role_addresses import is_role


@pytest.mark.parametrize(
    "typed, meant",
    [
        ("ann@gmial.com", "ann@gmail.com"),  # two keys swapped
        ("ann@gmai.com", "ann@gmail.com"),  # one missed
        ("ann@gmaill.com", "ann@gmail.com"),  # one too many
        ("ann@gnail.com", "ann@gmail.com"),  # one mistaken
        ("ann@gmail.co", "ann@gmail.com"),
        ("ann@gmail.cmo", "ann@gmail.com"),
        ("ann@gmail.con", "ann@gmail.com"),
        ("ann@gmial.con", "ann@gmail.com"),  # one in each part
        ("Ann.B+c@HOTMIAL.com", "Ann.B+c@hotmail.com"),
        (" ann@yaho.co.uk ", "ann@yahoo.co.uk"),
        ("ann@aol.con", "ann@aol.com"),
        ("ann@example.con", "ann@example.com"),  # no domain ends so
        ("ann@example.ogr", "ann@example.org"),
    ],
)
def test_a_slip_is_seen(typed: str, meant: str):
    assert likely_slip(typed) == meant


@pytest.mark.parametrize(
    "address",
    [
        "ann@gmail.com", "ann@GMAIL.com", "ann@mail.com", "ann@email.com", "ann@ymail.com",
        "ann@ge.com", "ann@sol.com", "ann@gmx.fr", "ann@example.com", "ann@example.co",
        "ann@example.cm", "ann@female.com", "ann@gmail.company", "ann@xn--bcher-kva.example",
        "ann", "@gmial.com", "", "ann@", "ann@con", "ann@.con", "\x00@\x00.\x00",
        "a@b@" + "x" * 100_000,
    ],
)  # fmt: skip
def test_what_may_be_right_is_left_alone(address: str):
    assert likely_slip(address) is None


def test_a_role_is_no_person():
    assert is_role("Info")
    assert is_role("no-reply")
    assert not is_role("ines")
