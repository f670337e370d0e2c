"""Every page in Chromium: accessible, as wide as the window, and deaf to what is hostile.

The tests share a day, a server and a browser. Each page is loaded once, in one walk.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Browser, BrowserContext, Page, Route
from sqlalchemy import Engine

from tests.accessibility import faults_of
from tests.container import TODAY
from tests.oidc_provider import serving_provider
from tests.staff import PASSWORD, SHELL, code, session_of
from tests.web.console.day import ISSUE, send_batches
from tests.web.console.serving import (
    GRANTS,
    OWN_SLUG,
    ConsoleClient,
    give_session,
    listening,
    serving,
    sign_in,
    url_of,
)
from tests.web.console.shared_day import HOSTILE, OWNER, Console, open_day
from tests.web.console.test_provider import NAME, configured

pytestmark = [pytest.mark.postgres, pytest.mark.browser]

TODAYS = f"/{OWN_SLUG}/today?count=1"
VIEWS = ("inbox", "message", "plain", "changes", "beside", "no-pictures")


@pytest.fixture(scope="module")
def served(shared_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with listening() as listener, start_blocking_portal() as portal:
        url = url_of(listener)
        made = open_day(shared_engine, url, tmp_path_factory.mktemp("day"))
        with serving_provider(made.clock.now) as provider:
            provider.claims = {"email": OWNER}
            made.settings = configured(made.settings, provider.url)
            with serving(made.console, listener):
                yield Console(url, made, ConsoleClient(made.console, portal, url))


@dataclass
class Walk:
    """A page that goes from one to the next, and what was wrong where it was."""

    served: Console
    page: Page
    faults: list[str] = field(default_factory=list[str])
    alive: list[str] = field(default_factory=list[str])  #: where something hostile did something
    shown: set[str] = field(default_factory=set[str])  #: where it could be read
    seen: set[str] = field(default_factory=set[str])  #: addresses

    def __post_init__(self) -> None:
        self.page.on("dialog", lambda one: self.alive.append(f"dialog {one.message}"))
        self.page.on("pageerror", lambda one: self.alive.append(str(one)))
        self.page.on("console", lambda one: self._say(one.text) if one.type == "error" else None)
        self.page.on("request", lambda one: self._say(one.url) if "/hostile" in one.url else None)

    def _say(self, text: str) -> None:
        if "the server responded with a status of" not in text:
            self.alive.append(text)

    def see(self, *paths: str, status: int = 200) -> None:
        """Look at each page once, wherever it leads; at none of another status."""
        for path in paths:
            answer = self.page.goto(self.served.url + path)
            is_page = answer and "html" in answer.headers["content-type"]
            if answer and is_page and answer.status == status and self.page.url not in self.seen:
                self.seen.add(self.page.url)
                self.look(path)

    def again(self, *paths: str, holds: str = "", part: str = "main") -> None:
        """Look at what is within pages that were seen, after what was done."""
        for path in paths:
            self.page.goto(self.served.url + path)
            assert path in self.page.url, self.page.url
            assert holds in self.page.inner_text("main")
            self.look(path, part, axe_at=(390,))

    def post(self, path: str, *holds: str, **fields: object) -> None:
        """Post a form and look at what answers it, which must hold these words."""
        self.served.post(self.page, path, **fields)
        text = self.page.inner_text("main")
        assert all(one in text for one in holds), f"{path}: {text}"
        self.look(f"POST {path}", "main")

    def look(
        self, name: str, part: str | None = None, axe_at: Collection[int] = (1280, 390)
    ) -> None:
        self.faults += faults_of(self.page, name, part, axe_at)
        if "hx-get" in self.page.inner_text("main"):
            self.shown.add(name)
        self.alive += [f"{name}: {one}" for one in self.page.evaluate(_ALIVE)]


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(reduced_motion="reduce") as made:
        made.set_default_timeout(20_000)
        yield made


def test_every_page_is_accessible_fits_and_runs_nothing_hostile(
    served: Console, context: BrowserContext
) -> None:
    walk = Walk(served, served.signed_in(context))
    for part in (_the_draft, _programs, _readers, _ways_to_sign_in, _to_be_approved, _on_its_way):
        part(walk, served)
    assert walk.faults == [], "\n".join(walk.faults)
    assert walk.alive == [], "\n".join(walk.alive)
    assert len(walk.shown) > 5


def _the_draft(walk: Walk, served: Console) -> None:
    walk.see(*served.paths())
    assert len(walk.seen) > 20
    number = max(
        one.brief_id
        for one in served.container.archive.received(served.container.newsletter, TODAY, TODAY)
    )
    walk.see(f"/{OWN_SLUG}/briefs/{number}")
    walk.again(*(f"{ISSUE}?view={one}" for one in VIEWS), part="#letter")
    walk.see("/nothing", "/invitation/x", status=404)
    walk.post(f"{ISSUE}/take-back", "Nothing was changed.", form_key="one")
    walk.post(f"/{OWN_SLUG}/briefs/new", title="A title alone")
    _letter_is_shut_in(walk.page, served)


def _programs(walk: Walk, served: Console) -> None:
    """Look at tokens and webhook endpoints: listed, made, refused, and shown this once."""
    tokens, webhooks = f"/{OWN_SLUG}/settings/tokens", f"/{OWN_SLUG}/settings/webhooks"
    for path in (tokens, webhooks, f"{webhooks}/1"):
        assert f"{served.url}{path}?count=1" in walk.seen
    walk.post(tokens, "hostile", name=HOSTILE[:60], scope="briefs:write", newsletter=OWN_SLUG)
    walk.post(tokens, name="", scope="briefs:write", newsletter="*")
    walk.again(tokens, holds="One program may use the API")
    added = {"url": "https://hooks.example.com/two", "event": "brief.held", "newsletter": OWN_SLUG}
    walk.post(webhooks, "two", name="two", **added)
    walk.post(webhooks, name="two", **(added | {"url": "no address"}))


def _letter_is_shut_in(page: Page, served: Console) -> None:
    page.goto(f"{served.url}{ISSUE}?count=1")
    frame = page.frame_locator("iframe").owner
    assert frame.get_attribute("sandbox") == ""
    inner = frame.element_handle().content_frame()
    assert inner
    assert inner.evaluate("self.origin") == "null"
    assert inner.evaluate("typeof window.hostile") == "undefined"
    assert inner.evaluate("document.querySelectorAll('script, svg[onload], [hx-get]').length") == 0


def _readers(walk: Walk, served: Console) -> None:
    one = served.container.subscriptions.by_email("hostile@example.com")[0]
    readers = f"/{OWN_SLUG}/readers"
    walk.post(f"{readers}/{one.subscriber_id}", "hostile@example.com")
    walk.post(f"{readers}/search", "robot@example.com", part="robot")
    walk.post(f"{readers}/search", part="nobody-at-all")
    walk.post(f"{readers}/why", address="robot@example.com", on=TODAY)


def _ways_to_sign_in(walk: Walk, served: Console) -> None:
    """Look at what is before the console, at the company's sign-in, and at the account after it."""
    container, page = served.container, walk.page
    invited = container.staff_accounts.invite("new@example.org", GRANTS["edit"], by=SHELL)
    link = container.staff_accounts.link(OWNER, by=SHELL)
    walk.see("/sign-in", f"/invitation/{invited}", f"/sign-in/link/{link}")
    walk.post("/sign-in/password", "did not match", email=OWNER, password=PASSWORD)
    page.route("**/sign-in/provider", _without_refresh)
    walk.post("/sign-in/provider", f"{NAME}")
    page.unroute("**/sign-in/provider")
    # The script would press the button at once.
    page.route("**/console.js", lambda route: route.fulfill(content_type="text/javascript"))
    walk.see("/sign-in/provider/answer?state=one&code=two")
    page.unroute("**/console.js")
    walk.see("/sign-in/provider/answer?error=access_denied", status=422)
    _link_and_set_a_password(page, served)
    walk.again("/account", holds="Linked")
    walk.again("/account/app")
    walk.again("/confirm?then=/account", holds=f"Sign in with {NAME}")
    walk.post("/confirm/password", password="wrong", code="000000")
    walk.post("/account/app/confirm", code="000000")
    walk.post("/account/password", password="short")
    page.goto(f"{served.url}/sign-in")
    walk.post("/sign-in/password", "code", email=OWNER, password=PASSWORD)


def _without_refresh(route: Route) -> None:
    """Stay on the page that leads to the provider."""
    answer = route.fetch()
    headers = {name: value for name, value in answer.headers.items() if name != "refresh"}
    route.fulfill(response=answer, headers=headers)


def _link_and_set_a_password(page: Page, served: Console) -> None:
    container = served.container
    page.goto(f"{served.url}/sign-in?then=/account")
    page.get_by_role("button", name=f"Sign in with {NAME}").click()
    page.wait_for_url("**/account")
    [served.client.token] = [
        one["value"] for one in page.context.cookies(served.url) if one["name"] == "session"
    ]
    signed = session_of(container, served.client.token)
    assert container.staff_credentials.set_password(signed, PASSWORD) is None
    secret = container.staff_credentials.offer_totp(signed).secret
    assert container.staff_credentials.confirm_totp(signed, code(container, secret))
    container.staff_credentials.offer_totp(signed)


def _to_be_approved(walk: Walk, served: Console) -> None:
    container, newsletter = served.container, served.container.newsletter
    both, requests = (f"{ISSUE}?count=1", TODAYS), container.approval_requests
    requests.ask(newsletter, TODAY, actor="bo@example.org", note=HOSTILE)
    walk.again(*both, holds="asks for approval")
    requests.send_back(newsletter, TODAY, actor="bo@example.org", note=HOSTILE)
    walk.again(*both, holds="sent it back")
    container.skipped_days.skip(newsletter, TODAY, because=HOSTILE, actor="bo@example.org")
    walk.again(*both, holds="skipped it")
    walk.again(f"/{OWN_SLUG}/issues")
    container.skipped_days.unskip(newsletter, TODAY, actor="bo@example.org")
    stored = container.publishing.approve(newsletter, TODAY, actor="test", expecting=None)
    walk.again(*both)
    assert stored.approved_hash
    container.sending_by_hand.send(
        newsletter, TODAY, approved_hash=stored.approved_hash, actor="bo@example.org"
    )
    walk.again(*both)
    walk.again(f"{ISSUE}/leaving", holds="Call it back")
    container.sending_by_hand.call_back(newsletter, TODAY, actor="bo@example.org")


def _on_its_way(walk: Walk, served: Console) -> None:
    container = served.container
    stored = container.plan_issue()
    send_batches(container, 1)
    walk.again(*(ISSUE + tail for tail in ("/leaving", "/results", "/people")))
    walk.post(f"{ISSUE}/people/nothing", "robot@example.com")
    walk.post(f"{ISSUE}/people/unknown")
    container.sending_limits.pause(stored, actor=OWNER, because=HOSTILE)
    walk.again(f"{ISSUE}/leaving", TODAYS)
    container.sending_limits.resume(stored, actor=OWNER, because=HOSTILE)
    container.queue.work(until_empty=True)
    walk.again(*(ISSUE + tail for tail in ("/results", "/log")), TODAYS, f"/{OWN_SLUG}/results")


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_while_readers_are_counted(
    width: int, context: BrowserContext, served: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_yet(*_: object) -> bool:
        return False

    monkeypatch.setattr(type(served.container.forecasts), "is_ready", not_yet)
    page = served.signed_in(context)
    page.set_viewport_size({"width": width, "height": 800})
    context.route(re.compile("count=1"), lambda route: route.abort())
    page.goto(f"{served.url}/science/today")
    assert "are being counted" in page.inner_text("h1")
    assert faults_of(page, f"counting {width}") == []


def test_whoever_may_not_gets_an_accessible_page(context: BrowserContext, served: Console) -> None:
    give_session(context, served.url, sign_in(served.container, "s@example.org", *GRANTS["see"]))
    page = context.new_page()
    answer = page.goto(f"{served.url}/{OWN_SLUG}/readers")
    assert answer
    assert answer.status == 403
    assert faults_of(page, "403") == []


_ALIVE = """() => [
  ...(typeof window.hostile === 'undefined' ? [] : ['it ran']),
  ...[...document.querySelectorAll('[onload], [onerror], [hx-get*=hostile], [data-hx-get]')]
    .map(one => one.outerHTML.slice(0, 100)),
  ...[...document.querySelectorAll('*')].filter(one => [...one.attributes]
    .some(each => each.name.startsWith('hx-on'))).map(one => one.outerHTML.slice(0, 100)),
  ...[...document.querySelectorAll('script:not([src]), b[hx-trigger]')].map(one => one.outerHTML),
]"""
