"""The doctor's own unsubscribe link: it says how it arrived, and is nobody's."""

import pytest

from newsletter.core.site import doctor_token
from tests.web.conftest import now_of, records

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_doctors_link_says_how_it_arrived(client, container, method) -> None:
    before = (now_of(container), records(container))
    path = f"/u/{doctor_token(container.signups.forms_key)}"
    answer = getattr(client, method.lower())(path)
    assert (answer.status_code, answer.json()) == (200, {"doctor": method, "changed": False})
    assert (now_of(container), records(container)) == before


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_installations_does_not(client, method) -> None:
    path = f"/u/{doctor_token(bytes(32))}"
    assert getattr(client, method.lower())(path).status_code == 404
