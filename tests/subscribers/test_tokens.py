import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.errors import InvalidLink
from subscribers.model import Purpose
from subscribers.tokens import check_token, make_token, read_token

ids = st.integers(min_value=1, max_value=2**48 - 1)
keys = st.binary(min_size=16, max_size=16)
purposes = st.sampled_from(Purpose)


def opens(purpose: Purpose, token: str, subscription_id: int, link_key: bytes) -> bool:
    try:
        signed = read_token(token)
        check_token(purpose, signed, link_key)
    except InvalidLink:
        return False
    return signed.subscription_id == subscription_id


@given(purposes, ids, keys)
def test_a_token_opens_what_it_was_made_for(purpose: Purpose, number: int, key: bytes) -> None:
    token = make_token(purpose, number, key)
    assert len(token) == 28
    assert opens(purpose, token, number, key)


@given(ids, keys)
def test_a_token_for_one_purpose_opens_no_other(number: int, key: bytes) -> None:
    for purpose in Purpose:
        for other in set(Purpose) - {purpose}:
            assert not opens(other, make_token(purpose, number, key), number, key)


@given(purposes, ids, ids, keys, keys)
def test_a_token_opens_no_other_subscription(
    purpose: Purpose, number: int, other: int, key: bytes, other_key: bytes
) -> None:
    token = make_token(purpose, number, key)
    assert opens(purpose, token, other, key) == (number == other)
    assert opens(purpose, token, number, other_key) == (key == other_key)


@given(purposes, ids, keys, st.integers(0, 27), st.characters())
def test_a_changed_token_is_refused(
    purpose: Purpose, number: int, key: bytes, place: int, letter: str
) -> None:
    token = make_token(purpose, number, key)
    changed = token[:place] + letter + token[place + 1 :]
    assert opens(purpose, changed, number, key) == (changed == token)


def test_a_token_has_one_spelling() -> None:
    token = make_token(Purpose.UNSUBSCRIBE, 0xFBEFBEFBEFBE, bytes(16))
    assert "-" in token
    with pytest.raises(InvalidLink):
        read_token(token.replace("-", "+"))


@given(purposes, ids, keys, st.integers(0, 27))
def test_a_cut_or_lengthened_token_is_refused(
    purpose: Purpose, number: int, key: bytes, length: int
) -> None:
    token = make_token(purpose, number, key)
    assert not opens(purpose, token[:length], number, key)
    assert not opens(purpose, token + token[:length] + "=", number, key)
    assert not opens(purpose, token + "\n", number, key)
