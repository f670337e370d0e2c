import pytest

from subscribers.rules.address_slips import likely_slip
from subscribers.rules.role_addresses import is_role


@pytest.mark.parametrize(
    ("address", "meant"),
    [
        ("joe@gmial.com", "joe@gmail.com"),
        ("joe@gmail.con", "joe@gmail.com"),
        ("joe@gmal.com", "joe@gmail.com"),
        ("joe@hotmial.com", "joe@hotmail.com"),
        ("joe@yahooo.com", "joe@yahoo.com"),
        ("joe@example.con", "joe@example.com"),
        ("joe@gmail.com", None),
        ("joe@mail.com", None),
        ("joe@ymail.com", None),
        ("joe@example.org", None),
        ("joe", None),
    ],
)
def test_an_obvious_slip_is_offered_what_was_meant(address: str, meant: str | None) -> None:
    assert likely_slip(address) == meant


def test_a_role_is_no_person() -> None:
    assert is_role("Info")
    assert is_role("no-reply")
    assert not is_role("ines")
