"""Who counts as one person, whatever they act as."""

from newsletter.core.api_token import TokenActor
from newsletter.core.staff import LoginName, StaffActor, StaffMember, one_person

_ANNA = StaffMember(id=1, email="Anna@example.org", login_name="anna")
_BO = StaffMember(id=2, email="bo@example.org")
_STAFF = (_ANNA, _BO)


def test_a_declared_login_and_the_account_are_one_person() -> None:
    console = StaffActor("anna@example.org", staff_id=1)
    assert {one_person(one, _STAFF) for one in (LoginName("anna"), "anna", console)} == {
        "anna@example.org"
    }
    assert one_person("bo@example.org", _STAFF) == "bo@example.org"


def test_a_login_nobody_declared_may_be_anybody() -> None:
    assert one_person(LoginName("root"), _STAFF) is None
    assert one_person("root", _STAFF) is None
    assert one_person(LoginName("bo@example.org"), _STAFF) is None  # a login may look like that


def test_who_was_removed_since_stays_another_person() -> None:
    assert one_person("gone@example.org", _STAFF) == "gone@example.org"


def test_a_program_is_nobody_whatever_its_token_is_called() -> None:
    assert one_person(TokenActor("anna@example.org", 3), ()) is None
    assert one_person(str(TokenActor("anna@example.org", 3)), ()) is None
