"""The page *Going live*: what the doctor says, for owners, and one letter to whoever asks."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from newsletter.core.setup_finding import SetupArea, SetupFinding, SetupSubject
from newsletter.web.console.pages import commands
from tests.container import TestContainer
from tests.services.test_staff_letters import FakeStaffMailer
from tests.web.console.serving import OWN_SLUG, ConsoleClient

pytestmark = pytest.mark.postgres

PAGE = f"/{OWN_SLUG}/settings/going-live"
TODAY_PAGE = f"/{OWN_SLUG}/today?count=1"
DKIM = SetupSubject(SetupArea.DNS, "DKIM").fail("no <key> is published", "publish the record")
WELL = SetupSubject(SetupArea.SENDGRID, "key").ok("it may send mail")


@dataclass
class Later:
    """Stands for the thread: what it was given is done when the test says so."""

    waiting: list[Callable[[], None]] = field(default_factory=list)

    def __call__(self, work: Callable[[], None]) -> None:
        self.waiting.append(work)

    def work(self) -> None:
        self.waiting.pop(0)()


@pytest.fixture
def later(container: TestContainer) -> Later:
    return found(container, DKIM, WELL)


def found(container: TestContainer, *findings: SetupFinding) -> Later:
    """Let a look find this, once the work is done."""
    later = Later()
    made = replace(container.setup_reports, examine=lambda: findings, in_background=later)
    container.setup_reports = made
    return later


@pytest.fixture
def mailer(container: TestContainer) -> FakeStaffMailer:
    container.staff_mailer = FakeStaffMailer()
    return container.staff_mailer


@pytest.fixture
def owner(later: Later, mailer: FakeStaffMailer, members: dict[str, ConsoleClient]):
    return members["own"]


def heading(text: str) -> str:
    [said] = re.findall(r"<h1>(.*?)</h1>", text, re.DOTALL)
    return said.strip()


def test_a_look_is_begun_by_a_button_and_shown_when_it_is_done(owner, later, members):
    assert heading(owner.get(PAGE).text).startswith("Nobody has checked here yet")
    assert later.waiting == []  # looking at the page begins nothing

    assert owner.post(f"{PAGE}/check").headers["location"] == PAGE
    page = owner.get(PAGE).text
    assert "Checking since 23 November" in page
    assert 'hx-trigger="every 2s"' in page
    assert '<noscript><meta http-equiv="refresh"' in page
    assert "Check now" not in page

    later.work()
    page = owner.get(PAGE).text
    assert heading(page) == "One thing must be mended."
    assert "Last checked 23 November" in page
    assert "by own@example.org" in page
    assert "hx-trigger" not in page
    assert "no &lt;key&gt; is published" in page
    assert "→ publish the record" in page
    assert page.index("it may send mail") < page.index("publish the record")  # by areas


def test_one_look_at_a_time_until_its_process_must_have_died(owner, later, container):
    owner.post(f"{PAGE}/check")
    owner.post(f"{PAGE}/check")
    assert len(later.waiting) == 1
    container.clock.pass_time(minutes=3)
    assert "Nobody has checked here yet" in owner.get(PAGE).text
    owner.post(f"{PAGE}/check")
    first, second = later.waiting
    second()
    container.setup_reports.examine = lambda: (WELL,)
    first()  # too late: the second one's report stays
    assert heading(owner.get(PAGE).text) == "One thing must be mended."


def test_the_last_report_is_read_while_the_next_one_is_made(owner, later, container):
    owner.post(f"{PAGE}/check")
    later.work()
    container.clock.pass_time(minutes=10)
    owner.post(f"{PAGE}/check")
    page = owner.get(PAGE).text
    assert heading(page) == "One thing must be mended."
    assert "Checking since" in page


def test_a_look_that_breaks_off_leaves_the_page_as_it_was(owner, later, container):
    def break_off() -> tuple[SetupFinding, ...]:
        raise ZeroDivisionError

    container.setup_reports.examine = break_off
    owner.post(f"{PAGE}/check")
    later.work()
    container.clock.pass_time(minutes=3)
    assert "Check now" in owner.get(PAGE).text


def test_owners_find_it_from_today_while_something_must_be_mended(owner, later, members):
    assert PAGE not in owner.get(TODAY_PAGE).text
    owner.post(f"{PAGE}/check")
    later.work()
    page = owner.get(TODAY_PAGE).text
    assert "Going live: one thing must be mended." in page
    assert PAGE in page
    assert PAGE not in members["edit"].get(TODAY_PAGE).text
    for path in ("settings", "more"):
        assert PAGE in owner.get(f"/{OWN_SLUG}/{path}").text
        assert PAGE not in members["approve"].get(f"/{OWN_SLUG}/{path}").text


def test_a_letter_goes_to_whoever_asks_and_its_events_are_shown_as_they_come(
    owner, mailer, container
):
    form = {"form_key": "once"}
    answer = owner.post(f"{PAGE}/letter", **form)
    assert answer.headers["location"] == f"{PAGE}#letter"
    owner.post(f"{PAGE}/letter", **form)
    [sent] = mailer.asked
    assert sent.email == "own@example.org"

    page = owner.get(PAGE).text
    assert "SendGrid accepted the letter to own@example.org" in page
    assert "Its events are awaited" in page

    def arrive(kind: str) -> None:
        ids = {"nl_installation": sent.installation_id, "nl_issue": f"test-{sent.id}"}
        now = int(container.clock.now().timestamp())
        event = {"event": kind, "sg_event_id": kind, "email": sent.email, "timestamp": now}
        container.receive_events(event | ids)

    arrive("processed")
    page = owner.get(PAGE).text
    assert "<b>processed</b>" in page
    assert "Its events are awaited" in page
    arrive("delivered")
    page = owner.get(PAGE).text
    assert "The whole way is proven." in page
    assert "hx-trigger" not in page


def test_a_letter_without_events_becomes_a_fault(owner, container):
    owner.post(f"{PAGE}/letter", form_key="once")
    container.clock.time += timedelta(minutes=6)
    page = owner.get(PAGE).text
    assert "no event of it came back within 5 minutes" in page
    assert "Its events are awaited" not in page


def test_a_colleagues_letter_is_not_ones_own(owner, members, container, engine: Engine):
    owner.post(f"{PAGE}/letter", form_key="once")
    member = container.staff_accounts.by_email("own@example.org")
    assert container.setup_letters.last(container.newsletter, to=member.email)
    assert container.setup_letters.last(container.newsletter, to="edit@example.org") is None
    assert container.test_letters.last(container.newsletter) == ()  # no preview of an issue


def test_what_one_types_is_set_apart_and_nothing_becomes_markup():
    said = commands("run `newsletter serve --to <b>`, not <i>")
    assert said == ('run <span class="mono">newsletter serve --to &lt;b&gt;</span>, not &lt;i&gt;')
