"""Many at once are as one: limits, confirmations and letters hold across threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from newsletter.core.signup import SignUpForm
from subscribers.errors import TooManyRequests
from subscribers.signup.model import ConsentProof
from tests.web.signup.helpers import READER, SignUpContainer

pytestmark = pytest.mark.postgres


def _at_once(act: Callable[[int], object], times: int = 8) -> list[object]:
    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(act, range(times)))


def _ask(container: SignUpContainer, email: str, ip: str = "") -> None:
    typed, proof = SignUpForm(email=email, topics=("chips",)), ConsentProof(via="test", ip=ip)
    with suppress(TooManyRequests):
        container.signing_up.request(container.newsletter, typed, proof)


def test_one_address_asked_for_many_times_gets_one_letter(container: SignUpContainer):
    _at_once(lambda _: _ask(container, READER))
    assert len(container.select("SELECT * FROM signup")) == 1
    assert len(container.select("SELECT * FROM transactional_email")) == 1


@pytest.mark.parametrize("ip", ["203.0.113.{}", "2001:db8:0:1::{:x}"])
def test_one_network_is_counted_as_one(container: SignUpContainer, ip: str):
    _at_once(lambda number: _ask(container, f"a{number}@example.com", ip.format(number)), 30)
    assert len(container.select("SELECT * FROM signup")) == 20
    [network] = {row["network"] for row in container.select("SELECT network FROM signup")}
    assert network in ("203.0.113.0/24", "2001:db8:0:1::/64")


def test_a_button_pressed_many_times_makes_one_subscription_and_one_welcome(
    container: SignUpContainer,
):
    _ask(container, READER)
    token = container.link().rpartition("/")[2]
    done = _at_once(
        lambda _: container.signing_up.confirm(token, ConsentProof(via="test"))[1].subscription_id
    )
    assert len(set(done)) == 1
    assert len(container.deliver()) == 2
    acts = [row["act"] for row in container.select("SELECT act FROM consent ORDER BY id")]
    assert acts == ["requested", "confirmed"]


def test_a_letter_leaves_once_whoever_carries_it(container: SignUpContainer):
    for number in range(6):
        _ask(container, f"a{number}@example.com")
    _at_once(lambda _: container.transactional.send_waiting(), 4)
    sent = [one["to"] for one in container.sandbox.messages()]
    assert len(sent) == len(set(sent)) == 6
