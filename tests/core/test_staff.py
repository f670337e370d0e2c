"""What people of the staff may do, and when a session is over."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.staff import (
    FRESH,
    IDLE,
    LONGEST,
    ROLES,
    Grant,
    Permission,
    SignedIn,
    StaffActor,
    StaffMember,
    grant_fault,
    implied,
    may,
    newsletters_where,
)

SLUGS = ["technology", "markets", "weekly"]
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)

permissions = st.sampled_from(Permission)
newsletters = st.none() | st.sampled_from(SLUGS)
grants = st.builds(Grant, permission=st.sampled_from(ROLES), newsletter=newsletters)
members = st.builds(
    StaffMember, id=st.just(1), email=st.just("a@example.org"), grants=st.frozensets(grants)
)


@given(permissions, permissions, permissions)
def test_what_is_implied_is_a_lattice_from_see_to_own(first, second, third):
    assert first in implied(first) <= implied(Permission.OWN)
    assert Permission.SEE in implied(first)
    if second in implied(first) and third in implied(second):
        assert third in implied(first)
    if second in implied(first) and first in implied(second):
        assert first is second


def test_whoever_may_edit_or_approve_may_stop_and_neither_may_do_the_other():
    assert Permission.STOP in implied(Permission.EDIT) & implied(Permission.APPROVE)
    assert Permission.EDIT not in implied(Permission.APPROVE)
    assert Permission.APPROVE not in implied(Permission.EDIT)
    assert Permission.STOP not in implied(Permission.KEEP_LIST) | implied(Permission.SEE)


@given(members, grants, permissions, newsletters)
def test_a_grant_only_ever_adds(member, grant, permission, newsletter):
    richer = StaffMember(id=1, email=member.email, grants=member.grants | {grant})
    assert may(richer, permission, newsletter) >= may(member, permission, newsletter)


@given(members, permissions, newsletters)
def test_what_may_be_done_everywhere_may_be_done_in_each_newsletter(member, permission, newsletter):
    if may(member, permission, None):
        assert may(member, permission, newsletter)


@given(grants.filter(lambda one: one.newsletter is not None), permissions)
def test_a_grant_in_one_newsletter_gives_nothing_in_another(grant, permission):
    member = StaffMember(id=1, email="a@example.org", grants=frozenset({grant}))
    others = [slug for slug in SLUGS if slug != grant.newsletter]
    assert newsletters_where(member, permission, others) == ()
    assert not may(member, permission, None)


def test_own_is_granted_for_all_newsletters_and_stop_not_at_all():
    assert "for all" in (grant_fault(Grant(permission=Permission.OWN, newsletter="markets")) or "")
    assert "no role" in (grant_fault(Grant(permission=Permission.STOP)) or "")
    assert grant_fault(Grant(permission=Permission.OWN)) is None
    assert grant_fault(Grant(permission=Permission.EDIT, newsletter="markets")) is None


def session(**ago: timedelta) -> SignedIn:
    moments = {name: NOW - by for name, by in ago.items()}
    member = StaffMember(id=7, email="ada@example.org")
    return SignedIn(id=3, member=member, address="192.0.2.1", device="a browser", **moments)


@given(*[st.timedeltas(timedelta(), timedelta(hours=13))] * 3)
def test_a_session_is_over_when_idle_or_old_and_fresh_for_a_quarter_of_an_hour(began, seen, fresh):
    found = session(signed_in_at=began, seen_at=seen, fresh_at=fresh)
    assert found.is_over(NOW) == (seen >= IDLE or began >= LONGEST)
    assert found.is_fresh(NOW) == (fresh < FRESH)


def test_an_actor_is_its_address_and_brings_account_session_and_network():
    actor = session(signed_in_at=FRESH, seen_at=FRESH, fresh_at=FRESH).actor
    assert actor == "ada@example.org"
    assert isinstance(actor, StaffActor)
    assert (actor.staff_id, actor.session_id, actor.address) == (7, 3, "192.0.2.1")
    assert deepcopy(actor) is actor  # as records are copied that hold it
