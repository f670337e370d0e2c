"""Signing in by each road, guessing, and what is good once, on real PostgreSQL."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event, Lock

import pytest
from sqlalchemy import Engine

from newsletter.adapters.staff.passwords import Argon2Passwords
from newsletter.core.sign_in import PasswordAccepted, SignInAccepted, SignInRefused, Wait
from newsletter.errors import ConfirmationNeeded, NotAllowed
from newsletter.stores.staff_tokens import TokenPurpose
from tests.authenticator import Authenticator
from tests.container import TestContainer
from tests.staff import (
    EDIT,
    HERE,
    PASSWORD,
    code,
    joined,
    pending,
    session_of,
    staff_container,
    with_passkey,
    with_password,
)

pytestmark = pytest.mark.postgres


@pytest.fixture
def container(engine: Engine) -> TestContainer:
    return staff_container(engine)


def by_code(container: TestContainer, half: str, typed: str, address: str = HERE):
    return container.signing_in.by_code(half, typed, address=address, device="test")


def by_passkey(container: TestContainer, ticket: str, answer: str):
    return container.signing_in.by_passkey(ticket, answer, address=HERE, device="test")


def test_a_password_and_a_code_make_a_session_and_half_of_it_does_not(container):
    _, secret = with_password(container)
    half = pending(container)
    assert container.staff_sessions.find(half, container.clock.now()) is None
    done = by_code(container, half, code(container, secret))
    assert isinstance(done, SignInAccepted)
    assert session_of(container, done.token).member.email == "o@example.org"


def test_a_code_is_taken_once_and_an_older_one_not_after_it(container):
    _, secret = with_password(container)
    now = container.clock.now()
    older, present = (code(container, secret, now - timedelta(seconds=by)) for by in (30, 0))
    assert isinstance(by_code(container, pending(container), present), SignInAccepted)
    for typed in (present, older):
        assert isinstance(by_code(container, pending(container), typed), SignInRefused)
    container.clock.pass_time(seconds=30)
    later = code(container, secret)
    assert isinstance(by_code(container, pending(container), later), SignInAccepted)


def test_the_code_that_confirmed_the_app_signs_nobody_in(container):
    signed_in = joined(container)
    container.staff_credentials.set_password(signed_in, PASSWORD)
    typed = code(container, container.staff_credentials.offer_totp(signed_in).secret)
    assert len(container.staff_credentials.confirm_totp(signed_in, typed)) == 10
    assert isinstance(by_code(container, pending(container), typed), SignInRefused)


def test_of_two_with_one_code_at_once_one_gets_in(container):
    _, secret = with_password(container)
    halves, typed = [pending(container) for _ in range(4)], code(container, secret)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda half: by_code(container, half, typed), halves))
    assert sum(isinstance(one, SignInAccepted) for one in answers) == 1


def test_half_a_sign_in_is_good_once_and_for_ten_minutes(container):
    signed_in, secret = with_password(container)
    half, late = pending(container), pending(container)
    assert isinstance(by_code(container, half, code(container, secret)), SignInAccepted)
    container.clock.pass_time(seconds=30)
    assert isinstance(by_code(container, half, code(container, secret)), SignInRefused)
    container.clock.pass_time(minutes=10)
    assert isinstance(by_code(container, late, code(container, secret)), SignInRefused)
    del signed_in


def test_a_password_alone_opens_nothing(container):
    signed_in = joined(container)
    container.staff_credentials.set_password(signed_in, PASSWORD)
    refused = container.signing_in.by_password("o@example.org", PASSWORD, address=HERE)
    assert isinstance(refused, SignInRefused)


def test_a_recovery_code_replaces_the_app_once_even_for_two_at_once(container):
    signed_in, _ = with_password(container)
    [first, *_] = container.staff_credentials.renew_recovery_codes(signed_in)
    halves = [pending(container) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda half: by_code(container, half, first.upper()), halves))
    assert sum(isinstance(one, SignInAccepted) for one in answers) == 1
    assert container.staff_credentials.of(signed_in).recovery_codes == 9


def test_unknown_accounts_are_refused_in_the_same_words_at_the_same_cost(container):
    with_password(container)
    known = container.signing_in.by_password("o@example.org", "x", address=HERE)
    compared = container.password_hashes.compared
    unknown = container.signing_in.by_password("nobody@example.org", "x", address=HERE)
    assert known == unknown == SignInRefused()
    assert (compared, container.password_hashes.compared) == (1, 2)


def guesses(container: TestContainer, emails: list[str], address: str = HERE) -> list[type]:
    sign_in = container.signing_in.by_password
    return [type(sign_in(email, "guess", address=address)) for email in emails]


@pytest.mark.parametrize("email", ["o@example.org", "nobody@example.org"])
def test_after_five_failures_an_account_waits_wherever_they_came_from(container, email: str):
    with_password(container)
    sign_in = container.signing_in.by_password
    for n in range(5):
        assert isinstance(sign_in(email, "guess", address=f"192.0.2.{n}"), SignInRefused)
    began = container.clock.now()
    assert sign_in(f" {email.upper()}", PASSWORD, address="198.51.100.1") == Wait(
        until=began + timedelta(minutes=15)
    )
    container.clock.pass_time(minutes=15)
    assert not isinstance(sign_in(email, PASSWORD, address=HERE), Wait)


def test_after_twenty_failures_a_network_waits_whatever_account(container):
    with_password(container)
    emails = [f"{n}@example.org" for n in range(20)]
    assert set(guesses(container, emails, "2001:db8::1")) == {SignInRefused}
    assert guesses(container, ["o@example.org"], "2001:db8::2") == [Wait]
    assert guesses(container, ["o@example.org"], "2001:db9::1") == [SignInRefused]


def test_wrong_codes_count_and_a_right_password_does_not_start_anew(container):
    _, secret = with_password(container)
    half = pending(container)
    for _ in range(5):
        assert isinstance(by_code(container, half, "000000"), SignInRefused)
    assert isinstance(by_code(container, half, code(container, secret)), Wait)
    again = container.signing_in.by_password("o@example.org", PASSWORD, address=HERE)
    assert isinstance(again, Wait)


def test_signing_in_forgets_the_failures_of_the_account(container):
    _, secret = with_password(container)
    guesses(container, ["o@example.org"] * 4)
    assert isinstance(
        by_code(container, pending(container), code(container, secret)), SignInAccepted
    )
    assert guesses(container, ["o@example.org"] * 5) == [SignInRefused] * 5


def test_the_limit_holds_for_guesses_at_once(container):
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda _: guesses(container, ["o@example.org"])[0], range(12)))
    assert (found.count(SignInRefused), found.count(Wait)) == (5, 7)


class Hasher:
    """Counts how many verify at once, and ends when two do."""

    def __init__(self) -> None:
        self.lock, self.both, self.running, self.most = Lock(), Event(), 0, 0

    def hash(self, password: str) -> str:
        return password

    def verify(self, *_: str) -> bool:
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
            if self.running == 2:
                self.both.set()
        self.both.wait(30)
        with self.lock:
            self.running -= 1
        return False


def test_at_most_two_passwords_are_hashed_at_once():
    passwords, hasher = Argon2Passwords(), Hasher()
    passwords._hasher = hasher  # pyright: ignore[reportAttributeAccessIssue]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: passwords.verify("x", "hash"), range(6)))
    assert hasher.most == 2


def test_a_passkey_signs_in_by_itself_and_its_challenge_is_good_once(container):
    _, device = with_passkey(container)
    asked = container.signing_in.passkey_options()
    answer = device.sign(asked.options)
    done = by_passkey(container, asked.ticket, answer)
    assert isinstance(done, SignInAccepted)
    assert session_of(container, done.token).member.email == "o@example.org"
    assert isinstance(by_passkey(container, asked.ticket, answer), SignInRefused)


def test_a_passkey_is_refused_when_anything_does_not_hold(container):
    _, device = with_passkey(container)

    def answered(by: Authenticator, **how: bool) -> object:
        asked = container.signing_in.passkey_options()
        return by_passkey(container, asked.ticket, by.sign(asked.options, **how))

    stranger = Authenticator(device.origin)
    assert isinstance(answered(stranger), SignInRefused)  # not registered
    stranger.credential_id = device.credential_id
    assert isinstance(answered(stranger), SignInRefused)  # another key
    assert isinstance(answered(device), SignInAccepted)
    assert isinstance(answered(device, counts=False), SignInRefused)  # copied
    device._flags = 0x01
    assert isinstance(answered(device), SignInRefused)  # asked nobody for a finger or a PIN
    device._flags, device.origin = 0x05, "https://console.example.net"
    assert isinstance(answered(device), SignInRefused)  # made for somebody else's page
    ticket = container.signing_in.passkey_options().ticket
    for nonsense in ("", "[]", "{}", '{"id": 7}', '{"id": "AAAA"}', "\x00"):
        assert isinstance(by_passkey(container, ticket, nonsense), SignInRefused)


def test_a_challenge_is_too_old_after_five_minutes(container):
    _, device = with_passkey(container)
    asked = container.signing_in.passkey_options()
    container.clock.pass_time(minutes=5)
    refused = by_passkey(container, asked.ticket, device.sign(asked.options))
    assert isinstance(refused, SignInRefused)


def test_a_passkey_is_registered_for_whoever_asked_and_once(container):
    signed_in, device = with_passkey(container)
    other = joined(container, "e@example.org", EDIT)
    asked = container.staff_credentials.passkey_options(signed_in)
    answer = Authenticator(device.origin).create(asked.options)
    assert not container.staff_credentials.add_passkey(other, asked.ticket, answer, "theirs")
    assert not container.staff_credentials.add_passkey(signed_in, asked.ticket, answer, "again")
    unverified = Authenticator(device.origin, verifies=False)
    asked = container.staff_credentials.passkey_options(signed_in)
    made = unverified.create(asked.options)
    assert not container.staff_credentials.add_passkey(signed_in, asked.ticket, made, "weak")
    asked = container.staff_credentials.passkey_options(signed_in)
    assert not container.staff_credentials.add_passkey(
        signed_in, asked.ticket, device.create(asked.options), "twice"
    )
    assert [one.name for one in container.staff_credentials.of(signed_in).passkeys] == ["laptop"]


def test_confirming_makes_the_session_fresh_under_a_new_token(container):
    first, secret = with_password(container)
    done = by_code(container, pending(container), code(container, secret))
    container.clock.pass_time(minutes=20)
    stale = session_of(container, done.token)
    assert not stale.is_fresh(container.clock.now())

    confirm = container.signing_in.confirm_by_password
    wrong = confirm(stale, done.token, "wrong", code(container, secret), address=HERE)
    assert isinstance(wrong, SignInRefused)
    right = confirm(stale, done.token, PASSWORD, code(container, secret), address=HERE)
    assert isinstance(right, SignInAccepted)
    assert container.staff_sessions.find(done.token, container.clock.now()) is None
    renewed = session_of(container, right.token)
    assert renewed.id == stale.id
    assert renewed.is_fresh(container.clock.now())
    assert renewed.signed_in_at == stale.signed_in_at
    del first


def test_only_the_persons_own_passkey_confirms(container):
    _, device = with_passkey(container)
    _, other = with_passkey(container, "e@example.org")
    asked = container.signing_in.passkey_options()
    token = by_passkey(container, asked.ticket, device.sign(asked.options)).token
    signed_in = session_of(container, token)
    for key, expected in ((other, SignInRefused), (device, SignInAccepted)):
        asked = container.signing_in.confirm_options(signed_in)
        done = container.signing_in.confirm_by_passkey(
            signed_in, token, asked.ticket, key.sign(asked.options)
        )
        assert isinstance(done, expected)


def changes(container: TestContainer) -> Iterator[tuple[str, object]]:
    credentials = container.staff_credentials
    yield "password", lambda one: credentials.set_password(one, "another river, another foundry")
    yield "codes", credentials.renew_recovery_codes

    def app(one):
        offered = credentials.offer_totp(one)
        assert credentials.confirm_totp(one, code(container, offered.secret))

    def passkey(one):
        asked = credentials.passkey_options(one)
        answer = Authenticator(container.settings.console_url).create(asked.options)
        assert credentials.add_passkey(one, asked.ticket, answer, "phone")

    yield "app", app
    yield "passkey", passkey
    yield "app removed", credentials.remove_totp


def test_every_change_of_a_credential_ends_the_other_sessions_and_voids_half_sign_ins(container):
    own, _ = with_password(container)
    for what, change in changes(container):
        member = container.staff_accounts.member(own.member.id)
        other = container.staff_sessions.start(member, address=HERE, device="other")
        half = container.staff_tokens
        soon = container.clock.now() + timedelta(minutes=5)
        half.add(f"half-{what}", TokenPurpose.PENDING, own.member.id, expires_at=soon)
        change(own)
        now = container.clock.now()
        assert container.staff_sessions.find(other, now) is None, what
        assert half.look(f"half-{what}", TokenPurpose.PENDING, now) is None, what
        assert [one.id for one in container.staff_sessions.listed(own.member.id)] == [own.id], what


def test_a_sign_in_that_began_before_a_change_makes_no_session_after_it(container):
    own, _ = with_password(container)
    [before] = [one for one in container.staff_accounts.members() if one.id == own.member.id]
    container.staff_credentials.set_password(own, "another river, another foundry")
    with pytest.raises(NotAllowed):
        container.staff_sessions.start(before, address=HERE, device="late")


def test_a_passkey_that_is_removed_while_it_signs_in_makes_no_session(container):
    own, device = with_passkey(container)
    container.staff_credentials.set_password(own, PASSWORD)
    offered = container.staff_credentials.offer_totp(own)
    container.staff_credentials.confirm_totp(own, code(container, offered.secret))
    [passkey] = container.staff_credentials.of(own).passkeys
    asked = container.signing_in.passkey_options()
    used = container.staff_credential_store.passkey_used

    def then_removed(*arguments: object) -> bool:
        assert used(*arguments)
        return container.staff_credentials.remove_passkey(own, passkey.id)

    container.staff_credential_store.passkey_used = then_removed
    done = by_passkey(container, asked.ticket, device.sign(asked.options))
    assert isinstance(done, SignInRefused)
    assert [one.id for one in container.staff_sessions.listed(own.member.id)] == [own.id]


def test_credentials_change_only_in_a_fresh_session_and_the_last_way_in_stays(container):
    own, _ = with_passkey(container)
    [passkey] = container.staff_credentials.of(own).passkeys
    with pytest.raises(NotAllowed, match="only way"):
        container.staff_credentials.remove_passkey(own, passkey.id)
    container.clock.pass_time(minutes=15)
    for act in (
        lambda: container.staff_credentials.set_password(own, PASSWORD),
        lambda: container.staff_credentials.offer_totp(own),
        lambda: container.staff_credentials.passkey_options(own),
        lambda: container.staff_credentials.remove_passkey(own, passkey.id),
        lambda: container.staff_credentials.renew_recovery_codes(own),
    ):
        with pytest.raises(ConfirmationNeeded):
            act()


def test_no_secret_is_stored_as_it_is(container):
    own, secret = with_password(container)
    codes = container.staff_credentials.renew_recovery_codes(own)
    half = pending(container)
    done = by_code(container, half, code(container, secret))
    assert isinstance(done, SignInAccepted)
    tables = ("staff", "staff_secret", "staff_token", "staff_session", "recovery_code", "decision")
    stored = "".join(str(container.query(f"SELECT t::text FROM {one} t")) for one in tables)
    for one in (PASSWORD, half, done.token, *codes):
        assert one not in stored
    assert isinstance(
        container.signing_in.by_password("o@example.org", PASSWORD, address=HERE), PasswordAccepted
    )
