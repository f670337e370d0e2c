"""What cannot be done by accident: stale pages, two people, two tabs, double presses."""

import re
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest
from sqlalchemy import Engine

from newsletter.core.color_scheme import ColorScheme
from newsletter.core.delivery import Accepted, Claim
from tests.container import TODAY, TestContainer, brief
from tests.web.console.day import (
    ISSUE,
    MARKETER,
    StaffMailerDouble,
    day_of_practice,
    receive_later,
    state,
)
from tests.web.console.serving import OURS, OWN_SLUG, ConsoleClient, sign_in, url_of

pytestmark = pytest.mark.postgres


@pytest.fixture
def container(engine: Engine, listener: socket.socket, tmp_path: Path) -> TestContainer:
    return day_of_practice(engine, url_of(listener), tmp_path)


@pytest.fixture
def ada(container: TestContainer, console: ConsoleClient) -> ConsoleClient:
    return _member(container, console, "ada")


@pytest.fixture
def bea(container: TestContainer, console: ConsoleClient) -> ConsoleClient:
    return _member(container, console, "bea")


def _member(container: TestContainer, console: ConsoleClient, name: str) -> ConsoleClient:
    token = sign_in(container, f"{name}@example.org", *MARKETER, name=name)
    return ConsoleClient(console.app, console.portal, console.url, token)


def form(client: ConsoleClient, act: str) -> dict[str, object]:
    """Return the fields of the page's form for an act, with everything ticked."""
    page = client.get(f"{ISSUE}?count=1").text
    [found] = re.findall(rf'<form[^>]*action="{ISSUE}/{act}".*?</form>', page, re.DOTALL)
    names: dict[str, object] = dict(
        re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', found)
    )
    return names | {"seen": re.findall(r'name="seen" value="([^"]*)"', found)}


def decisions(container: TestContainer, verb: str) -> int:
    sql = "SELECT count(*) FROM decision WHERE verb = :verb"
    return container.query(sql, verb=verb)[0][0]


def test_a_stale_approval_changes_nothing_and_says_what_changed(
    container: TestContainer, ada: ConsoleClient
):
    seen = form(ada, "approve")
    receive_later(container, "ai-models")
    before = container.query("SELECT xmin::text, to_jsonb(issue)::text FROM issue")
    answer = ada.post(f"{ISSUE}/approve", **seen)
    assert answer.status_code == 409
    assert "This is no longer what you looked at." in answer.text
    assert "“A small model learns to say that it does not know” was added" in answer.text
    assert container.query("SELECT xmin::text, to_jsonb(issue)::text FROM issue") == before
    assert ada.post(f"{ISSUE}/approve", **form(ada, "approve")).status_code == 303
    assert state(container) == "approved"


def test_two_approvers_at_once_are_one_approval(
    container: TestContainer, ada: ConsoleClient, bea: ConsoleClient
):
    forms, start = [(one, form(one, "approve")) for one in (ada, bea)], Barrier(2)

    def approve(client: ConsoleClient, fields: dict[str, object]) -> int:
        start.wait()
        return client.post(f"{ISSUE}/approve", **fields).status_code

    with ThreadPoolExecutor(2) as pool:
        answers = [one.result() for one in [pool.submit(approve, *each) for each in forms]]
    assert set(answers) == {303}
    assert decisions(container, "approve") == 1


def test_of_two_tabs_the_second_edit_is_refused_with_what_changed(
    container: TestContainer, ada: ConsoleClient
):
    first, second = form(ada, "wording"), form(ada, "wording")
    assert ada.post(f"{ISSUE}/wording", **first, subject="Water").status_code == 303
    text = {"subject": "Quite another", "note": "What I wrote for long."}
    refused = ada.post(f"{ISSUE}/wording", **second, **text)
    assert refused.status_code == 409
    assert "This is no longer what you looked at." in refused.text
    assert "the subject changed" in refused.text
    stored = container.publishing.issue(container.newsletter, TODAY)
    assert stored.issue.wording.subject == "Water"
    assert "What I wrote for long." in refused.text  # what was typed is not lost


def test_of_two_tabs_the_second_mending_of_a_brief_overwrites_nothing(
    container: TestContainer, ada: ConsoleClient, bea: ConsoleClient
):
    brief, mine = f"/{OWN_SLUG}/briefs/1", "What I wrote for long, which is long enough to print."
    page = ada.get(brief).text
    fields: dict[str, object] = dict(re.findall(r'<input[^>]*name="(\w+)" value="([^"]*)"', page))
    fields |= {"topics": "chips", "summary": "Quite another summary, which is long enough."}
    assert bea.post(brief, **fields).status_code == 303
    refused = ada.post(brief, **fields | {"summary": mine})
    assert refused.status_code == 409
    assert mine in refused.text
    assert "Quite another summary" in container.archive.brief(container.newsletter, 1).brief.summary


@pytest.mark.parametrize("act", ["approve", "send-now", "test"])
def test_a_double_press_acts_once(act: str, container: TestContainer, ada: ConsoleClient):
    if act == "send-now":
        ada.post(f"{ISSUE}/approve", **form(ada, "approve"))
    fields, start = form(ada, act) | {"to": "ada@example.org"}, Barrier(2)

    def press() -> tuple[int, str]:
        start.wait()
        answer = ada.post(f"{ISSUE}/{act}", **fields)
        return answer.status_code, answer.headers["location"]

    with ThreadPoolExecutor(2) as pool:
        first, second = [one.result() for one in [pool.submit(press) for _ in range(2)]]
    assert first == second == (303, first[1])
    assert ada.post(f"{ISSUE}/{act}", **fields).headers["location"] == first[1]
    mailer = container.staff_mailer
    assert isinstance(mailer, StaffMailerDouble)
    done = {
        "approve": decisions(container, "approve"),
        "send-now": container.rows()["issue"] if state(container) == "sending" else 0,
        "test": len(mailer.asked),
    }
    assert done[act] == 1


def test_after_the_answer_to_stop_no_batch_is_claimed(container: TestContainer, ada: ConsoleClient):
    ada.post(f"{ISSUE}/approve", **form(ada, "approve"))
    ada.post(f"{ISSUE}/send-now", **form(ada, "send-now"))
    under_way, stopped = Event(), Event()

    def slow(_: Claim) -> Accepted:
        under_way.set()
        stopped.wait(30)
        return Accepted(message_id="late")

    container.mailer.answers.extend([slow] * 9)
    with ThreadPoolExecutor(2) as pool:
        batches = list(container.queue.jobs)
        workers = [
            pool.submit(container.sending.send_batches, half)
            for half in (batches[::2], batches[1::2])
        ]
        assert under_way.wait(30)
        answer = ada.post(f"{ISSUE}/stop")
        claimed = container.query("SELECT count(*) FROM attempt")
        stopped.set()
        assert all(worker.result() is None for worker in workers)
    assert (answer.status_code, state(container)) == (303, "paused")
    assert claimed == container.query("SELECT count(*) FROM attempt")
    assert len(container.mailer.asked) <= 2
    assert ada.post(f"{ISSUE}/stop").status_code == 303  # however often it is pressed


def test_a_day_is_skipped_and_the_checks_are_ticked_by_a_member(
    container: TestContainer, ada: ConsoleClient
):
    day = f"/{OWN_SLUG}/days/2026-11-26"
    assert ada.post(f"{day}/skip", because="a holiday").status_code == 303
    assert "is skipped by ada@example.org: a holiday" in ada.get(f"/{OWN_SLUG}/today?count=1").text
    assert ada.post(f"{day}/unskip").status_code == 303
    page = ada.get(f"{ISSUE}/checks?count=1").text
    fields = dict(re.findall(r'type="hidden" name="(finding|content_hash)" value="([^"]*)"', page))
    assert ada.post(f"{ISSUE}/checks/seen", **fields).status_code == 303
    assert "seen by ada@example.org" in ada.get(f"{ISSUE}/checks?count=1").text


@pytest.mark.parametrize("scheme", ColorScheme)
def test_the_letter_is_the_preview_byte_for_byte(
    scheme: ColorScheme, container: TestContainer, ada: ConsoleClient
):
    newsletter, on = container.newsletter, TODAY
    for one in container.forecasts.of(newsletter, on).editions:
        shown = container.previews.for_edition(newsletter, on, one.edition.key)
        query = f"whom=edition:{one.edition.key}&scheme={scheme}"
        answer = ada.get(f"{ISSUE}/letter?{query}")
        assert answer.content == shown.page(scheme).encode()
        assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
        message = ada.get(f"{ISSUE}/letter.eml?whom=edition:{one.edition.key}")
        assert _without_boundaries(message.content) == _without_boundaries(shown.eml)


def _without_boundaries(message: bytes) -> bytes:
    """Return a message without the marks between its parts, which are made up each time."""
    return re.sub(rb"=={2,}\d+==", b"", message)


def test_an_edit_keeps_the_view_and_as_whom_the_letter_is_looked_at(
    container: TestContainer, members: dict[str, ConsoleClient]
) -> None:
    stored = container.publishing.assemble(container.newsletter, TODAY)
    issue, last = f"/{OWN_SLUG}/issues/{TODAY}", stored.issue.entries[-1].brief_id
    shown = f"https://console.example{issue}?view=plain&whom=topics:chips"
    answer = members["edit"].ask(
        "POST",
        f"{issue}/stories/{last}/move",
        data={"content_hash": stored.content_hash, "to": "up"},
        headers=OURS | {"HX-Request": "true", "HX-Target": "all", "HX-Current-URL": shown},
    )
    assert answer.status_code == 200
    assert 'name="view" value="plain"' in answer.text
    assert "view=plain&amp;whom=topics:chips" in answer.text


def test_results_come_as_tables_that_no_spreadsheet_runs(
    container: TestContainer, members: dict[str, ConsoleClient]
) -> None:
    container.intake.receive(brief("robotics", title="=1+1 robots;=2+2 learn to wait for people"))
    container.publishing.assemble(container.newsletter, TODAY)
    container.publishing.approve(container.newsletter, TODAY, actor="ada")
    container.send_issue()
    stories = members["see"].get(f"/{OWN_SLUG}/issues/{TODAY}/results.csv")
    assert stories.headers["content-type"] == "text/csv; charset=utf-8"
    assert '"\'=1+1 robots;=2+2 learn to wait for people",' in stories.text
    assert f'"{TODAY}","Monday",' in members["see"].get(f"/{OWN_SLUG}/results.csv").text
