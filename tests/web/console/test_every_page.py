"""Every page in Chromium: accessible, as wide as the window, and deaf to what is hostile."""

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import Engine

from newsletter.core.brief import Source
from newsletter.core.operator_alert import unknown_batch_alert
from newsletter.core.staff import Grant, Permission
from tests.container import TODAY, TestContainer, brief
from tests.staff import SHELL
from tests.web.console.day import ISSUE, day_of_practice, send_batches
from tests.web.console.serving import (
    GRANTS,
    OWN_SLUG,
    ConsoleClient,
    give_session,
    sign_in,
    url_of,
)
from tests.web.console.test_gets_write_nothing import path_of
from tests.web.console.test_permissions import walk

pytestmark = [pytest.mark.postgres, pytest.mark.browser]

Scheme = Literal["light", "dark"]
#: All rules are run once; narrow and in the dark those that may differ there.
_BY_LOOK = {"runOnly": ["color-contrast", "target-size", "scrollable-region-focusable"]}
_LOOKS: tuple[tuple[int, Scheme, dict[str, Any]], ...] = (
    (1280, "light", {}),
    (390, "dark", _BY_LOOK),
)
_OPEN = "document.querySelectorAll('details').forEach(one => { one.open = true })"
_RUN = """options => axe.run(document, {resultTypes: ['violations'], ...options})
  .then(found => found.violations.map(one => `${one.id} ${one.nodes[0].html.slice(0, 160)}`))"""
_WIDER = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll('body *')]
    .filter(one => one.getBoundingClientRect().right > innerWidth + 1)
    .map(one => one.outerHTML.slice(0, 120)).slice(0, 3)"""

HOSTILE = (
    '"><script>window.hostile=1</script><svg onload="window.hostile=2">'
    '<b hx-get="/hostile" hx-trigger="load" hx-on:load="window.hostile=3" data-hx-get="/hostile">'
    "{{ 7 * 7 }} js:window.hostile=4"
)


@pytest.fixture
def container(engine: Engine, listener: socket.socket, tmp_path: Path) -> TestContainer:
    made = day_of_practice(engine, url_of(listener), tmp_path)
    alert = unknown_batch_alert(OWN_SLUG, TODAY)
    made.schedule_store.queue_alert(alert, made.clock.now())
    return made


@dataclass
class Console:
    """The served console, and how an owner of a given name sees it."""

    url: str
    container: TestContainer
    client: ConsoleClient

    def signed_in(self, context: BrowserContext, name: str = "Ada") -> Page:
        grants = (Grant(permission=Permission.OWN), *GRANTS["keep-list"])
        self.client.token = sign_in(self.container, "own@example.org", *grants, name=name)
        give_session(context, self.url, self.client.token)
        return context.new_page()

    def pages(self) -> Iterator[str]:
        """Yield the path of each page that there is."""
        for asked in walk(self.client.app):
            path = path_of(asked, self.container)
            if asked.method != "GET" or asked.slug == "science" or path.endswith("/letter"):
                continue
            answer = self.client.get(path)
            if answer.status_code == 200 and "html" in answer.headers["content-type"]:
                yield f"{path}?count=1"


@pytest.fixture
def served(served_console: str, container: TestContainer, console: ConsoleClient) -> Console:
    return Console(served_console, container, console)


def faults_of(page: Page, path: str) -> list[str]:
    """Return what is wrong with the page that is open, at each width and in each light."""
    page.evaluate(_OPEN)
    page.evaluate(AXE_SCRIPT)
    found: list[str] = []
    for width, scheme, options in _LOOKS:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        found += [f"{path} {width} {scheme}: {one}" for one in page.evaluate(_RUN, options)]
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 800})
        found += [f"{path} {width} is wider: {one}" for one in page.evaluate(_WIDER)]
    return found


def test_every_page_is_accessible_and_fits(browser: Browser, served: Console) -> None:
    container, found = served.container, list[str]()
    with browser.new_context(reduced_motion="reduce") as context:
        page = served.signed_in(context)

        def look(path: str) -> None:
            page.goto(served.url + path)
            found.extend(faults_of(page, path))

        invited = container.staff_accounts.invite("new@example.org", GRANTS["edit"], by=SHELL)
        link = container.staff_accounts.link("own@example.org", by=SHELL)
        draft = [*served.pages()]
        assert len(draft) > 20
        views = [
            f"{ISSUE}?view={one}" for one in ("inbox", "message", "plain", "changes", "beside")
        ]
        alone = [f"/invitation/{invited}", "/invitation/x", f"/sign-in/link/{link}", "/nothing"]
        for path in (*draft, *views, *alone):
            look(path)
        page.goto(f"{served.url}/{OWN_SLUG}/today")
        with page.expect_navigation():
            page.evaluate(_POST, f"{ISSUE}/take-back")
        assert "Nothing was changed." in page.inner_text("main")
        found += faults_of(page, "409")

        container.publishing.approve(container.newsletter, TODAY, actor="test", expecting=None)
        look(f"{ISSUE}?count=1")
        stored = container.plan_issue()
        send_batches(container, 1)
        for tail in ("/leaving", "/results", "/people"):
            look(ISSUE + tail)
        container.sending_limits.pause(stored, actor="own@example.org", because="a look")
        for path in (f"{ISSUE}/leaving", f"/{OWN_SLUG}/today"):
            look(path)
    assert found == [], "\n".join(found)


_POST = """path => { const form = document.createElement('form'); form.method = 'post';
  form.action = path; form.innerHTML = '<input name=form_key value=one>';
  document.body.append(form); form.submit(); }"""


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_while_readers_are_counted(
    width: int, context: BrowserContext, served: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_yet(*_: object) -> bool:
        return False

    monkeypatch.setattr(type(served.container.forecasts), "is_ready", not_yet)
    page = served.signed_in(context)
    context.route(re.compile("count=1"), lambda route: route.abort())
    page.goto(f"{served.url}/{OWN_SLUG}/today")
    assert "are being counted" in page.inner_text("h1")
    assert faults_of(page, f"counting {width}") == []


def test_whoever_may_not_gets_an_accessible_page(context: BrowserContext, served: Console) -> None:
    give_session(context, served.url, sign_in(served.container, "s@example.org", *GRANTS["see"]))
    page = context.new_page()
    answer = page.goto(f"{served.url}/{OWN_SLUG}/readers")
    assert answer
    assert answer.status == 403
    assert faults_of(page, "403") == []


def test_what_is_hostile_runs_nowhere(
    context: BrowserContext, served: Console, tmp_path: Path
) -> None:
    container = served.container
    write_hostile(container, tmp_path)
    page, faults = served.signed_in(context, name=HOSTILE), list[str]()
    page.on("dialog", lambda one: faults.append(f"dialog {one.message}"))
    page.on("console", lambda one: faults.append(one.text) if one.type == "error" else None)
    page.on("pageerror", lambda one: faults.append(str(one)))
    page.on("request", lambda one: faults.append(one.url) if "/hostile" in one.url else None)
    shown = 0
    number = max(
        one.brief_id for one in container.archive.received(container.newsletter, TODAY, TODAY)
    )
    extra = [
        f"/{OWN_SLUG}/briefs/{number}",
        *(f"{ISSUE}?view={v}" for v in ("plain", "inbox", "message")),
    ]
    for path in (*served.pages(), *extra):
        page.goto(served.url + path)
        page.evaluate(_OPEN)
        shown += "hx-get" in page.inner_text("body")
        faults += [f"{path}: {one}" for one in page.evaluate(_ALIVE)]
    assert faults == []
    assert shown > 5

    page.goto(f"{served.url}{ISSUE}?count=1")
    frame = page.frame_locator("iframe").owner
    assert frame.get_attribute("sandbox") == ""
    inner = frame.element_handle().content_frame()
    assert inner
    assert inner.evaluate("self.origin") == "null"
    assert inner.evaluate("typeof window.hostile") == "undefined"
    assert inner.evaluate("document.querySelectorAll('script, svg[onload], [hx-get]').length") == 0


_ALIVE = """() => [
  ...(typeof window.hostile === 'undefined' ? [] : ['it ran']),
  ...[...document.querySelectorAll('[onload], [onerror], [hx-get*=hostile], [data-hx-get]')]
    .map(one => one.outerHTML.slice(0, 100)),
  ...[...document.querySelectorAll('*')].filter(one => [...one.attributes]
    .some(each => each.name.startsWith('hx-on'))).map(one => one.outerHTML.slice(0, 100)),
  ...[...document.querySelectorAll('script:not([src]), b[hx-trigger]')].map(one => one.outerHTML),
]"""


def write_hostile(container: TestContainer, folder: Path) -> None:
    """Say it wherever strangers and staff can say something."""
    texts = {"title": HOSTILE, "summary": f"{HOSTILE} and long enough.", "why": HOSTILE}
    source = Source(name=HOSTILE, url="https://example.org/hostile-one")
    container.intake.receive(brief("chips", source=source, **texts))
    for field, text in texts.items():
        stored = container.intake.receive(
            brief(
                "software", key=field, **{"title": f"Another title about the {field}", field: text}
            )
        )
        assert stored
    name = HOSTILE.replace("/", "_")[:120]
    path = folder / f"{name}.csv"
    path.write_text("email,topics\nhostile@example.com,chips\n")
    container.lists.import_list(
        path,
        OWN_SLUG,
        known_topics=container.newsletter.topic_slugs,
        default_zone="UTC",
        consent_source=HOSTILE,
        now=container.clock.now(),
    )
    container.publishing.assemble(container.newsletter, TODAY)
    draft = container.editing.seen(container.newsletter, TODAY, actor=HOSTILE)
    container.editing.word(draft, note=HOSTILE[:190])
    container.skipped_days.skip(container.newsletter, TODAY, because=HOSTILE, actor=HOSTILE)
