"""Signing in at a company's identity provider: a real one on loopback, with every fault."""

from collections.abc import Iterator
from copy import copy
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from newsletter.adapters.staff.oidc import OidcClient, OidcProvider
from newsletter.core.sign_in import (
    NOT_ASKED_AGAIN,
    NOT_INVITED,
    REFUSED,
    SignInAccepted,
    SignInRefused,
    Wait,
)
from newsletter.core.staff import SignedIn
from newsletter.errors import ConfirmationNeeded, NotAllowed, ProviderUnavailable
from newsletter.services.provider_sign_in import ProviderAnswer
from newsletter.services.signing_in import SignInResult
from tests.container import TestContainer
from tests.oidc_provider import CLIENT, SECRET, Provider, serving_provider
from tests.staff import EDIT, HERE, OWN, SHELL, joined, session_of, staff_container, with_passkey

pytestmark = pytest.mark.postgres

BACK = "https://console.example.org/sign-in/provider/answer"


@pytest.fixture
def container(engine: Engine) -> TestContainer:
    return staff_container(engine)


@pytest.fixture
def provider(container: TestContainer) -> Iterator[Provider]:
    with serving_provider(container.clock.now) as found:
        container.identity_provider = OidcProvider(
            OidcClient(issuer=found.url, client_id=CLIENT, secret=SECRET, redirect_uri=BACK)
        )
        yield found


def gone_there(container: TestContainer, provider: Provider, then: str = "/") -> ProviderAnswer:
    """Return what a browser brings back that was sent to the provider."""
    asked = container.provider_sign_in.request(then)
    return ProviderAnswer(ticket=asked.ticket, **provider.sign_in(asked.url))


def sign_in(container: TestContainer, provider: Provider, **changes: str) -> SignInResult:
    answer = gone_there(container, provider)
    answer = ProviderAnswer(**vars(answer) | changes)
    return container.provider_sign_in.accept(answer, address=HERE, device="test")[0]


def signed_in(container: TestContainer, provider: Provider) -> tuple[SignedIn, str]:
    done = sign_in(container, provider)
    assert isinstance(done, SignInAccepted), done
    return session_of(container, done.token), done.token


def confirm(
    container: TestContainer, provider: Provider, session: SignedIn, token: str
) -> SignInResult:
    asked = container.provider_sign_in.confirm_request(session, "/")
    answer = ProviderAnswer(ticket=asked.ticket, **provider.sign_in(asked.url))
    return container.provider_sign_in.confirm(session, token, answer)[0]


def verbs(container: TestContainer, member_id: int) -> list[str]:
    return [one.verb for one in container.decisions.about(f"staff {member_id}")]


def test_whoever_is_invited_is_let_in_linked_and_known_by_the_account_from_then_on(
    container: TestContainer, provider: Provider
):
    container.staff_accounts.invite("O@example.org", [EDIT], by=SHELL)
    session, _ = signed_in(container, provider)
    assert session.member.name == "Ada Example"
    assert verbs(container, session.member.id) == [
        "invited", "provider linked", "accepted", "signed in",
    ]  # fmt: skip
    provider.claims = {"email": "married@example.org", "email_verified": False}
    again, _ = signed_in(container, provider)
    assert again.member.id == session.member.id


def test_the_request_bears_what_ties_its_answer_to_it(container: TestContainer, provider: Provider):
    joined(container)
    signed_in(container, provider)
    [asked] = provider.asked
    assert asked["scope"].split() == ["openid", "email", "profile"]
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == BACK
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    assert asked["max_age"] == str(12 * 60 * 60)
    assert "prompt" not in asked


def test_a_new_client_secret_takes_over_while_people_sign_in(
    container: TestContainer, provider: Provider
):
    joined(container)
    old, new = container, copy(container)
    for name in ("identity_provider", "provider_sign_in"):
        vars(new).pop(name, None)
    new.identity_provider = OidcProvider(
        OidcClient(issuer=provider.url, client_id=CLIENT, secret="a second one", redirect_uri=BACK)
    )
    provider.secrets = (SECRET, "a second one")  # both hold while processes restart one by one
    for process in (old, new):
        signed_in(process, provider)
    # Who went there from the old process comes back when only the new one is left.
    asked = old.provider_sign_in.request("/")
    provider.secrets = ("a second one",)
    answer = ProviderAnswer(ticket=asked.ticket, **provider.sign_in(asked.url))
    done = new.provider_sign_in.accept(answer, address=HERE, device="test")[0]
    assert isinstance(done, SignInAccepted), done
    assert not isinstance(sign_in(old, provider), SignInAccepted)


def test_nobody_gets_an_account_by_signing_in(container: TestContainer, provider: Provider):
    provider.claims = {"email": "stranger@example.org"}
    assert sign_in(container, provider) == SignInRefused(sentence=NOT_INVITED)
    assert container.staff_accounts.members() == ()


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"aud": [CLIENT, "another"], "azp": None},
        {"iss": "https://other.example.org"},
        {"exp": 1},
        {"exp": None},
        {"iat": 9_999_999_999},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"auth_time": "today"},
        {"at_hash": "of another token"},
    ],
    ids=str,
)
def test_an_id_token_that_does_not_hold_signs_nobody_in(
    claims: dict[str, object], container: TestContainer, provider: Provider
):
    session = joined(container)
    provider.claims = claims
    assert sign_in(container, provider) == SignInRefused(sentence=REFUSED)
    assert provider.redeemed == 1
    assert "provider linked" not in verbs(container, session.member.id)


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_an_id_token_that_no_key_pair_signed_does_not_hold(
    algorithm: str, container: TestContainer, provider: Provider
):
    joined(container)
    provider.algorithm = algorithm
    assert sign_in(container, provider) == SignInRefused(sentence=REFUSED)


def test_an_id_token_of_a_key_that_is_not_published_does_not_hold(
    container: TestContainer, provider: Provider
):
    joined(container)
    provider.signed_by = 2
    assert sign_in(container, provider) == SignInRefused(sentence=REFUSED)
    provider.published = (1, 2)  # the provider changes its keys
    signed_in(container, provider)


@pytest.mark.parametrize(
    "claims", [{"email_verified": False}, {"email_verified": None}, {"email": None}], ids=str
)
def test_an_address_that_the_provider_has_not_verified_links_nothing(
    claims: dict[str, object], container: TestContainer, provider: Provider
):
    joined(container)
    provider.claims = claims
    assert sign_in(container, provider) == SignInRefused(sentence=NOT_INVITED)


def test_another_account_with_the_same_address_is_not_the_same_person(
    container: TestContainer, provider: Provider
):
    joined(container)
    signed_in(container, provider)
    provider.claims = {"sub": "account-2"}
    assert sign_in(container, provider) == SignInRefused(sentence=NOT_INVITED)


def test_an_answer_is_good_once_and_only_for_the_request_of_this_browser(
    container: TestContainer, provider: Provider
):
    joined(container)
    mine, others = gone_there(container, provider), gone_there(container, provider)
    accept = container.provider_sign_in.accept
    mixed = ProviderAnswer(ticket=mine.ticket, state=others.state, code=others.code)
    assert accept(mixed, address=HERE, device="")[0] == SignInRefused()
    assert provider.redeemed == 0  # whoever was sent somebody else's answer goes on with their own
    assert isinstance(accept(mine, address=HERE, device="")[0], SignInAccepted)
    assert accept(mine, address=HERE, device="")[0] == SignInRefused()
    container.clock.pass_time(minutes=11)
    assert accept(others, address=HERE, device="")[0] == SignInRefused()


def test_an_answer_that_another_provider_signs_as_its_own_is_refused(
    container: TestContainer, provider: Provider
):
    joined(container)
    assert sign_in(container, provider, issuer="https://other.example.org") == SignInRefused()
    assert provider.redeemed == 0
    assert isinstance(sign_in(container, provider, issuer=provider.url), SignInAccepted)


def test_whoever_was_removed_is_not_let_in_and_their_sessions_have_ended(
    container: TestContainer, provider: Provider
):
    joined(container, "owner@example.org", OWN)
    joined(container, "o@example.org", EDIT)
    session, token = signed_in(container, provider)
    container.staff_accounts.remove(session.member.id, by=SHELL)
    assert container.staff_sessions.find(token, container.clock.now()) is None
    assert sign_in(container, provider) == SignInRefused(sentence=NOT_INVITED)
    container.staff_accounts.invite("o@example.org", [EDIT], by=SHELL)
    provider.claims = {"sub": "account-of-a-successor"}
    assert isinstance(sign_in(container, provider), SignInAccepted)


def test_answers_that_do_not_hold_are_limited_by_network(
    container: TestContainer, provider: Provider
):
    joined(container)
    provider.claims = {"nonce": "wrong"}
    for _ in range(20):
        assert isinstance(sign_in(container, provider), SignInRefused)
    assert isinstance(sign_in(container, provider), Wait)


def test_a_sign_in_is_as_fresh_as_the_provider_says(container: TestContainer, provider: Provider):
    joined(container)
    now = container.clock.now()
    for minutes, fresh in ((5, True), (30, False)):
        provider.claims = {"auth_time": int((now - timedelta(minutes=minutes)).timestamp())}
        assert signed_in(container, provider)[0].is_fresh(now) is fresh
    provider.claims = {"auth_time": None}
    assert not signed_in(container, provider)[0].is_fresh(now)
    provider.claims = {"auth_time": int((now - timedelta(hours=13)).timestamp())}
    assert sign_in(container, provider) == SignInRefused(sentence=NOT_ASKED_AGAIN)


def test_confirming_asks_the_person_again_and_makes_the_session_fresh(
    container: TestContainer, provider: Provider
):
    joined(container)
    session, token = signed_in(container, provider)
    container.clock.pass_time(minutes=20)
    with pytest.raises(ConfirmationNeeded):
        container.staff_credentials.offer_totp(session)
    done = confirm(container, provider, session, token)
    assert isinstance(done, SignInAccepted)
    assert provider.asked[-1]["max_age"] == "0"
    assert provider.asked[-1]["prompt"] == "login"
    assert session_of(container, done.token).is_fresh(container.clock.now())
    assert container.staff_sessions.find(token, container.clock.now()) is None
    assert verbs(container, session.member.id)[-1] == "confirmed"


@pytest.mark.parametrize("minutes", [10, None])
def test_a_provider_that_did_not_ask_again_confirms_nothing(
    minutes: int | None, container: TestContainer, provider: Provider
):
    joined(container)
    session, token = signed_in(container, provider)
    since = minutes and int((container.clock.now() - timedelta(minutes=minutes)).timestamp())
    provider.claims = {"auth_time": since}
    assert confirm(container, provider, session, token) == SignInRefused(sentence=NOT_ASKED_AGAIN)


def test_another_account_confirms_nothing_and_a_sign_in_is_no_confirmation(
    container: TestContainer, provider: Provider
):
    joined(container)
    session, token = signed_in(container, provider)
    plain = gone_there(container, provider)
    assert container.provider_sign_in.confirm(session, token, plain)[0] == SignInRefused()
    provider.claims = {"sub": "account-2"}
    assert confirm(container, provider, session, token) == SignInRefused()


def test_what_is_linked_can_be_unlinked_unless_it_is_the_only_way(
    container: TestContainer, provider: Provider
):
    with_passkey(container)
    session, _ = signed_in(container, provider)
    other, _ = signed_in(container, provider)
    credentials = container.staff_credentials
    linked = credentials.of(session).identity
    assert linked
    assert linked.issuer == provider.url
    assert credentials.unlink_provider(session)
    assert credentials.unlink_provider(session) is False
    assert [one.id for one in container.staff_sessions.listed(session.member.id)] == [session.id]
    assert other.id != session.id

    provider.claims = {"email": "new@example.org", "sub": "account-3"}
    container.staff_accounts.invite("new@example.org", [EDIT], by=SHELL)
    alone, _ = signed_in(container, provider)
    with pytest.raises(NotAllowed, match="only way"):
        credentials.unlink_provider(alone)


def test_a_provider_that_does_not_answer_is_named(container: TestContainer, provider: Provider):
    joined(container)
    answer = gone_there(container, provider)
    provider.status = 503
    with pytest.raises(ProviderUnavailable, match=provider.url):
        container.provider_sign_in.accept(answer, address=HERE, device="")
    checked = container.identity_provider
    assert checked
    assert provider.url in (checked.obstacle() or "")
    provider.status = 200
    assert checked.obstacle() is None
    provider.published = ()
    assert "no keys" in (checked.obstacle() or "")


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://other.example.org"},
        {"token_endpoint": "http://login.example.org/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": None},
    ],
    ids=str,
)
def test_a_provider_that_describes_itself_wrongly_is_not_used(
    metadata: dict[str, object], container: TestContainer, provider: Provider
):
    provider.metadata = metadata
    with pytest.raises(ProviderUnavailable):
        container.provider_sign_in.request("/")
