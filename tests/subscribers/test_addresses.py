import pytest
from email_validator import validate_email
from hypothesis import given
from hypothesis import strategies as st

from subscribers.addresses import email_key, is_plain, read_address
from subscribers.errors import InvalidAddress


def test_an_address_is_kept_as_typed_and_compared_in_lower_case() -> None:
    address = read_address("  Reader.One@Example.COM ")
    assert address.email == "Reader.One@Example.COM"
    assert address.key == "reader.one@example.com"


def test_space_around_an_address_is_no_part_of_it() -> None:
    assert read_address("\treader@example.com\r\n").email == "reader@example.com"


def test_a_domain_beyond_ascii_travels_in_its_idna_form() -> None:
    assert read_address("Reader@Bücher.example").email == "Reader@xn--bcher-kva.example"
    assert email_key("reader@bücher.example") == email_key("READER@xn--bcher-kva.EXAMPLE")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no-at-sign.example.com",
        "two@@example.com",
        "reader@example",
        "reader@example.local",
        "reader@-example.com",
        "reader@exa_mple.com",
        ".reader@example.com",
        "rea..der@example.com",
        "reader@example.com, other@example.com",
        "Reader <reader@example.com>",
        "lešer@example.com",
        "a" * 65 + "@example.com",
        "reader@" + "a" * 64 + ".example",
        "reader@ex--ample.c",
        "a" * 400 + "@example.com",
        "reader\x00@example.com",
    ],
)
def test_what_no_letter_can_be_sent_to_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddress) as caught:
        read_address(text)
    assert str(caught.value)


def test_text_that_is_no_address_still_has_a_key() -> None:
    assert email_key(" Not An Address ") == "not an address"


parts = st.text(alphabet="aZ09.-_+'@xnſK", min_size=1, max_size=12)
tails = st.sampled_from(["com", "example", "test", "LOCAL", "c", "x1", "xn--p1ai", "invalid"])


@given(st.builds("{}@{}.{}".format, parts, parts, tails))
def test_the_fast_road_takes_only_what_email_validator_takes(text: str) -> None:
    if is_plain(text):
        found = validate_email(text, check_deliverability=False, allow_smtputf8=False, strict=True)
        assert f"{found.local_part}@{found.ascii_domain}".lower() == read_address(text).key
