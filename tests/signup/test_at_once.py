"""Many at once are as one: limits, confirmations and letters hold across threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from newsletter.core.signup import Typed
from subscribers.signup.model import Evidence
from tests.signup.place import READER, SignUpHouse

pytestmark = pytest.mark.postgres


def _at_once(act: Callable[[int], object], times: int = 8) -> list[object]:
    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(act, range(times)))


def _ask(place: SignUpHouse, email: str, ip: str = "") -> None:
    typed = Typed(email=email, topics=("chips",))
    place.signing_up.ask(place.house.newsletter, typed, Evidence(via="test", ip=ip))


def test_one_address_asked_for_many_times_gets_one_letter(place: SignUpHouse):
    _at_once(lambda _: _ask(place, READER))
    assert len(place.rows("SELECT * FROM signup")) == 1
    assert len(place.rows("SELECT * FROM correspondence")) == 1


@pytest.mark.parametrize("ip", ["203.0.113.{}", "2001:db8:0:1::{:x}"])
def test_one_network_is_counted_as_one(place: SignUpHouse, ip: str):
    _at_once(lambda number: _ask(place, f"a{number}@example.com", ip.format(number)), 30)
    assert len(place.rows("SELECT * FROM signup")) == 20
    [network] = {row["network"] for row in place.rows("SELECT network FROM signup")}
    assert network in ("203.0.113.0/24", "2001:db8:0:1::/64")


def test_a_button_pressed_many_times_makes_one_subscription_and_one_welcome(place: SignUpHouse):
    _ask(place, READER)
    token = place.link().rpartition("/")[2]
    done = _at_once(lambda _: place.signing_up.confirm(token, Evidence(via="test"))[1].id)
    assert len(set(done)) == 1
    assert len(place.deliver()) == 2
    acts = [row["act"] for row in place.rows("SELECT act FROM consent ORDER BY id")]
    assert acts == ["requested", "confirmed"]


def test_a_letter_leaves_once_whoever_carries_it(place: SignUpHouse):
    for number in range(6):
        _ask(place, f"a{number}@example.com")
    _at_once(lambda _: place.correspondence.deliver(), 4)
    sent = [one["to"] for one in place.sandbox.messages()]
    assert len(sent) == len(set(sent)) == 6
