"""What cannot be done, or is not there, is said on a page; nothing of it is a failure of ours."""

import pytest

from newsletter.errors import NotAllowed
from subscribers.errors import ConcurrentChange, DatabaseBusy
from tests.container import TODAY, TestContainer
from tests.web.console.serving import OWN_SLUG, ConsoleClient

pytestmark = pytest.mark.postgres

LARGE = 10**20

NOWHERE = [
    "briefs?until=0001-01-01",
    "briefs?until=0001-01-03",
    "briefs?until=9999-12-31",
    f"briefs/{LARGE}",
    "briefs/3000000000",
    f"log?cursor={LARGE}",
    "log?actor=%00",
    f"issues/{TODAY}/letter?whom=reader:{LARGE}",
]


@pytest.mark.parametrize("tail", NOWHERE)
def test_an_odd_address_leads_nowhere(tail: str, members: dict[str, ConsoleClient]):
    assert members["own"].get(f"/{OWN_SLUG}/{tail}").status_code == 404


def test_an_odd_number_of_a_reader_leads_nowhere(members: dict[str, ConsoleClient]):
    assert members["own"].post(f"/{OWN_SLUG}/readers/{LARGE}").status_code == 404


def test_a_value_that_no_column_holds_is_refused(members: dict[str, ConsoleClient]):
    for tail in ("readers/search", "readers/why"):
        answer = members["own"].post(f"/{OWN_SLUG}/{tail}", part="abc\0", address="abc\0")
        assert answer.status_code == 404


def test_a_form_with_too_little_or_too_much_is_said_to_be_so(members: dict[str, ConsoleClient]):
    for fields in ({}, {"resolution": "resend", "because": "x" * 501}):
        answer = members["keep-list"].post(f"/{OWN_SLUG}/batches/1/resolve", **fields)
        assert answer.status_code == 422
        assert "Something in the form is missing, or too long." in answer.text


@pytest.mark.parametrize("error", [DatabaseBusy(), ConcurrentChange()])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_busy_database_is_no_failure(
    method: str,
    error: Exception,
    container: TestContainer,
    members: dict[str, ConsoleClient],
    monkeypatch: pytest.MonkeyPatch,
):
    def fail(*_: object, **__: object) -> None:
        raise error

    services = members["own"].app.state.services
    monkeypatch.setattr(services.archive, "listed", fail)
    monkeypatch.setattr(services.publishing, "issue", fail)
    path = "issues" if method == "GET" else f"issues/{TODAY}/stop"
    headers = {"Sec-Fetch-Site": "same-origin"}
    answer = members["own"].ask(method, f"/{OWN_SLUG}/{path}", headers=headers)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "The database is busy." in answer.text


def test_a_refusal_is_a_sentence(members: dict[str, ConsoleClient]):
    answer = members["own"].post(f"/{OWN_SLUG}/days/2000-01-01/skip", because="no reason")
    assert "2000-01-01 is over. Nothing was changed." in answer.text


def test_a_reason_begins_with_a_capital_and_ends_with_one_stop(
    members: dict[str, ConsoleClient], monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: object, **__: object) -> None:
        raise NotAllowed("look at this first.")

    monkeypatch.setattr(members["own"].app.state.services.archive, "listed", refuse)
    answer = members["own"].get(f"/{OWN_SLUG}/issues")
    assert "Look at this first. Nothing was changed." in answer.text


def test_signing_in_again_leads_back_to_the_same_view(console: ConsoleClient):
    answer = console.get(f"/{OWN_SLUG}/briefs?show=held")
    assert answer.headers["location"] == f"/sign-in?then=/{OWN_SLUG}/briefs%3Fshow%3Dheld"


def test_a_slash_too_many_names_no_host(members: dict[str, ConsoleClient]):
    answer = members["own"].get(f"/{OWN_SLUG}/today/", headers={"Host": "elsewhere.example"})
    assert answer.status_code == 404
    assert "location" not in answer.headers


def test_nobody_is_signed_out_who_is_not_there(members: dict[str, ConsoleClient]):
    answer = members["own"].post(f"/{OWN_SLUG}/settings/staff/3000000000/sign-out")
    assert answer.status_code == 404
