"""Inviting, changing and removing staff, on real PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from newsletter.core.sign_in import SignInAccepted, SignInRefused
from newsletter.core.staff import Grant, Permission, SignedIn, StaffMember
from newsletter.errors import ConfirmationNeeded, NotAllowed, NotFound
from tests.container import TestContainer
from tests.staff import EDIT, OWN, SHELL, joined, staff_container

pytestmark = pytest.mark.postgres


@pytest.fixture
def container(engine: Engine) -> TestContainer:
    return staff_container(engine)


def roles(container: TestContainer, email: str) -> set[str]:
    return set(map(str, container.staff_accounts.by_email(email).grants))


def test_an_invitation_is_good_once_and_for_a_day(container):
    accounts = container.staff_accounts
    token = accounts.invite("Ada@Example.org", [EDIT], by=SHELL)
    assert accounts.invitation(token).email == "Ada@Example.org"
    assert isinstance(accounts.accept(token, " Ada  L. "), SignInAccepted)
    assert accounts.by_email("ada@example.ORG").name == "Ada L."
    assert isinstance(accounts.accept(token, "Eve"), SignInRefused)
    assert accounts.invitation(token) is None

    late = accounts.invite("late@example.org", [EDIT], by=SHELL)
    container.clock.pass_time(hours=24)
    assert isinstance(accounts.accept(late, "Late"), SignInRefused)


def test_a_second_invitation_voids_the_first_and_its_roles_stand(container):
    accounts = container.staff_accounts
    first = accounts.invite("ada@example.org", [OWN], by=SHELL)
    second = accounts.invite("ada@example.org", [EDIT], by=SHELL)
    assert isinstance(accounts.accept(first, "Eve"), SignInRefused)
    assert isinstance(accounts.accept(second, "Ada"), SignInAccepted)
    assert roles(container, "ada@example.org") == {"edit technology"}
    with pytest.raises(NotAllowed, match="already"):
        accounts.invite("ada@example.org", [OWN], by=SHELL)


def test_of_two_who_accept_at_once_one_gets_in(container):
    token = container.staff_accounts.invite("ada@example.org", [EDIT], by=SHELL)
    assert container.staff_accounts
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: container.staff_accounts.accept(token, f"{n}"), range(8)))
    assert sum(isinstance(one, SignInAccepted) for one in answers) == 1


@pytest.mark.parametrize("email", ["", "ada", "ada@", "a b@example.org"])
def test_what_is_no_address_is_not_invited(container, email: str):
    with pytest.raises(NotAllowed, match="not an address"):
        container.staff_accounts.invite(email, [EDIT], by=SHELL)


def test_roles_are_checked_before_anything_is_changed(container):
    own_of_one = Grant(permission=Permission.OWN, newsletter="technology")
    elsewhere = Grant(permission=Permission.EDIT, newsletter="nowhere")
    for wrong in ([], [own_of_one], [elsewhere], [Grant(permission=Permission.STOP)]):
        with pytest.raises(NotAllowed):
            container.staff_accounts.invite("ada@example.org", wrong, by=SHELL)
    assert container.staff_accounts.members() == ()


def test_only_an_owner_changes_rights_and_nobody_their_own(container):
    accounts = container.staff_accounts
    owner, editor = (
        joined(container, "o@example.org", OWN),
        joined(container, "e@example.org", EDIT),
    )
    for session, target in ((editor, owner), (editor, editor), (owner, owner)):
        with pytest.raises(NotAllowed):
            accounts.grant(target.member.id, OWN, by=session)
        with pytest.raises(NotAllowed):
            accounts.revoke(target.member.id, EDIT, by=session)
        with pytest.raises(NotAllowed):
            accounts.remove(target.member.id, by=session)
    with pytest.raises(NotAllowed):
        accounts.invite("x@example.org", [OWN], by=editor)
    assert roles(container, "e@example.org") == {"edit technology"}

    accounts.grant(editor.member.id, OWN, by=owner)
    assert roles(container, "e@example.org") == {"edit technology", "own *"}


def test_an_owner_whose_right_was_taken_away_has_it_no_more_in_an_old_session(container):
    first, second = joined(container, "a@example.org", OWN), joined(container, "b@example.org", OWN)
    container.staff_accounts.revoke(first.member.id, OWN, by=second)
    with pytest.raises(NotAllowed, match="only an owner"):
        container.staff_accounts.remove(second.member.id, by=first)


def test_changing_the_staff_needs_a_fresh_sign_in(container):
    owner = joined(container, "o@example.org", OWN)
    container.clock.pass_time(minutes=15)
    with pytest.raises(ConfirmationNeeded):
        container.staff_accounts.invite("x@example.org", [EDIT], by=owner)


def test_the_last_owner_stays_even_for_the_command_line(container):
    accounts = container.staff_accounts
    owner = joined(container, "o@example.org", OWN)
    accounts.invite("invited@example.org", [OWN], by=SHELL)  # who has not accepted does not count
    for act in (accounts.remove, lambda id_, by: accounts.revoke(id_, OWN, by=by)):
        with pytest.raises(NotAllowed, match="last owner"):
            act(owner.member.id, by=SHELL)
    assert roles(container, "o@example.org") == {"own *"}


def test_two_owners_who_remove_each_other_at_once_leave_one(container):
    owners = [joined(container, f"{name}@example.org", OWN) for name in "ab"]

    def remove(pair: tuple[SignedIn, SignedIn]) -> bool:
        by, other = pair
        try:
            container.staff_accounts.remove(other.member.id, by=by)
        except NotAllowed:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(remove, [tuple(owners), tuple(reversed(owners))])) == [False, True]
    assert len(container.staff_accounts.members()) == 1


def test_a_change_of_roles_ends_the_sessions_of_that_person_alone(container):
    owner, editor = (
        joined(container, "o@example.org", OWN),
        joined(container, "e@example.org", EDIT),
    )
    container.staff_accounts.revoke(editor.member.id, EDIT, by=owner)
    assert container.staff_sessions.listed(editor.member.id) == ()
    assert len(container.staff_sessions.listed(owner.member.id)) == 1


def test_whoever_is_removed_is_out_at_once_and_may_be_invited_again_as_new(container):
    accounts = container.staff_accounts
    owner, editor = (
        joined(container, "o@example.org", OWN),
        joined(container, "e@example.org", EDIT),
    )
    link = accounts.link("e@example.org", by=SHELL)
    accounts.remove(editor.member.id, by=owner)

    assert container.staff_sessions.listed(editor.member.id) == ()
    refused = container.signing_in.by_link(link, address="192.0.2.1", device="")
    assert isinstance(refused, SignInRefused)
    with pytest.raises(NotFound):
        accounts.by_email("e@example.org")
    again = joined(container, "e@example.org", Grant(permission=Permission.SEE))
    assert again.member.id == editor.member.id  # the log's number stays theirs
    assert roles(container, "e@example.org") == {"see *"}


def test_a_link_from_the_command_line_signs_in_once_within_a_quarter_of_an_hour(container):
    joined(container, "o@example.org", OWN)
    sign_in = container.signing_in.by_link
    first = container.staff_accounts.link("o@example.org", by=SHELL)
    second = container.staff_accounts.link("o@example.org", by=SHELL)
    assert isinstance(sign_in(first, address="", device=""), SignInRefused)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: sign_in(second, address="", device=""), range(8)))
    assert sum(isinstance(one, SignInAccepted) for one in answers) == 1

    third = container.staff_accounts.link("o@example.org", by=SHELL)
    container.clock.pass_time(minutes=15)
    assert isinstance(sign_in(third, address="", device=""), SignInRefused)


def test_whoever_has_not_accepted_gets_no_link(container):
    container.staff_accounts.invite("o@example.org", [OWN], by=SHELL)
    with pytest.raises(NotAllowed, match="not accepted"):
        container.staff_accounts.link("o@example.org", by=SHELL)


def test_every_change_is_on_record_without_a_secret(container):
    accounts = container.staff_accounts
    owner = joined(container, "o@example.org", OWN)
    token = accounts.invite("e@example.org", [EDIT], by=owner)
    accepted = accounts.accept(token, "Ed", address="192.0.2.9", device="phone")
    assert isinstance(accepted, SignInAccepted)
    member: StaffMember = accepted.member
    accounts.grant(member.id, Grant(permission=Permission.SEE), by=owner)
    link = accounts.link("e@example.org", by=SHELL)
    accounts.sign_out(member.id, by=SHELL)
    accounts.remove(member.id, by=owner)

    lines = container.decisions.about(f"staff {member.id}")
    assert [(one.verb, one.actor) for one in lines] == [
        ("invited", "o@example.org"),
        ("accepted", "e@example.org"),
        ("roles changed", "o@example.org"),
        ("sign-in link made", "operator"),
        ("signed out everywhere", "operator"),
        ("removed", "o@example.org"),
    ]
    changed = lines[2]
    assert changed.before == {"email": "e@example.org", "roles": ["edit technology"]}
    assert changed.after == {"email": "e@example.org", "roles": ["edit technology", "see *"]}
    assert (changed.staff_id, changed.session_id, changed.network) == (
        owner.member.id,
        owner.id,
        "192.0.2.1",
    )
    assert lines[3].staff_id is None
    stored = str(container.query("SELECT d::text FROM decision d"))
    assert not [one for one in (token, link, accepted.token) if one in stored]


def test_roles_are_set_as_a_whole(container):
    accounts, owner = container.staff_accounts, joined(container)
    editor = joined(container, "e@example.org", EDIT)
    see = Grant(permission=Permission.SEE)
    accounts.set_roles(editor.member.id, [see, OWN], by=owner)
    assert roles(container, "e@example.org") == {"see *", "own *"}
    with pytest.raises(NotAllowed, match="say which role"):
        accounts.set_roles(editor.member.id, [], by=owner)
    with pytest.raises(NotAllowed, match="their own rights"):
        accounts.set_roles(owner.member.id, [see], by=owner)


def test_roles_that_are_the_same_end_no_session(container):
    owner, editor = joined(container), joined(container, "e@example.org", EDIT)
    container.staff_accounts.set_roles(editor.member.id, [EDIT], by=owner)
    assert container.staff_sessions.listed(editor.member.id) == (editor,)


def test_of_all_roles_set_at_once_the_last_owners_stays(container):
    owner = joined(container)
    with pytest.raises(NotAllowed, match="last owner"):
        container.staff_accounts.set_roles(owner.member.id, [EDIT], by=SHELL)
    assert roles(container, "o@example.org") == {"own *"}
