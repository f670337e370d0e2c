"""One day, one server and one owner for the tests of a module that look at pages in a browser."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import BrowserContext, Page
from sqlalchemy import Engine

from newsletter.core.brief import Source
from newsletter.core.operator_alert import unknown_batch_alert
from newsletter.core.source import PolledSource, SourceKind
from newsletter.core.source_record import RefusedItem, SourceRecord, Tally
from newsletter.core.staff import Grant, Permission
from newsletter.core.webhook import CHOICES, NewEndpoint
from newsletter.core.webhook_delivery import WebhookAnswer
from newsletter.stores.sources import SourceStore
from tests.container import TODAY, TestContainer, brief
from tests.settings import TECHNOLOGY
from tests.web.console.day import day_of_practice
from tests.web.console.serving import GRANTS, OWN_SLUG, ConsoleClient, give_session, sign_in
from tests.web.console.test_gets_write_nothing import path_of
from tests.web.console.test_permissions import walk

OWNER = "own@example.org"
HOSTILE = (
    '"><script>window.hostile=1</script><svg onload="window.hostile=2">'
    '<b hx-get="/hostile" hx-trigger="load" hx-on:load="window.hostile=3" data-hx-get="/hostile">'
    "{{ 7 * 7 }} js:window.hostile=4"
)
#: Posts a form of the page that is open, as one of its own would.
_POST = """([path, fields]) => { const form = document.createElement('form'); form.method = 'post';
  form.action = path; for (const [name, value] of Object.entries(fields)) {
    const input = document.createElement('input'); input.name = name; input.value = value;
    form.append(input); }
  document.body.append(form); form.submit(); }"""


@dataclass
class Console:
    """The served console, and its owner, who has a hostile name."""

    url: str
    container: TestContainer
    client: ConsoleClient

    def signed_in(self, context: BrowserContext) -> Page:
        if not self.client.token:
            grants = (Grant(permission=Permission.OWN), *GRANTS["keep-list"])
            self.client.token = sign_in(self.container, OWNER, *grants, name=HOSTILE)
        give_session(context, self.url, self.client.token)
        return context.new_page()

    def paths(self) -> Iterator[str]:
        """Yield the path of each GET that may be a page."""
        for asked in walk(self.client.app):
            path = path_of(asked, self.container)
            if asked.method == "GET" and asked.slug != "science" and not _is_no_page(path):
                yield f"{path}?count=1"

    def post(self, page: Page, path: str, **fields: object) -> None:
        """Post a form, and wait for what answers it."""
        with page.expect_navigation():
            page.evaluate(_POST, [path, {name: str(value) for name, value in fields.items()}])


def _is_no_page(path: str) -> bool:
    return bool(re.search(r"/letter$|/static/|\.(csv|eml)$", path))


def open_day(engine: Engine, url: str, folder: Path) -> TestContainer:
    """Return a day with an alert, sources in every state, and hostile words everywhere."""
    names = ("up", "failing", "down", "quiet", "waiting", "new")
    sources = tuple(_source(name) for name in names)
    newsletter = replace(TECHNOLOGY, sources=sources)
    made = day_of_practice(engine, url, folder, newsletter, grace_minutes=5)
    now = made.clock.now()
    made.schedule_store.queue_alert(unknown_batch_alert(OWN_SLUG, TODAY), now)
    store = SourceStore(engine)
    for name, record in _records(made).items():
        store.take(OWN_SLUG, name, now=now, lease=timedelta(minutes=1))
        store.record(OWN_SLUG, name, record)
    write_hostile(made, folder)
    _add_endpoint(made)
    return made


def _add_endpoint(made: TestContainer) -> None:
    """Add a webhook endpoint with a hostile name that answers so, too."""
    answer = WebhookAnswer(status=503, reason="127.0.0.1 answered 503", body=HOSTILE)
    made.webhook_sending.post = lambda *_: answer
    url = "https://hooks.example.com/a-path-with-a-secret/" + "x" * 200
    new = NewEndpoint(name=HOSTILE[:60], url=url, events=frozenset(CHOICES), addresses=True)
    number = made.webhooks.add(new, actor=HOSTILE)[0].id
    made.webhooks.test(number, actor=OWNER)
    made.webhooks.pause(number, actor=OWNER, because=HOSTILE)


def _source(name: str) -> PolledSource:
    url = f"https://example.org/{name}/feeds/of-a-section-with-a-rather-long-name/feed.xml"
    return PolledSource(slug=name, kind=SourceKind.FEED, url=url)


def _records(made: TestContainer) -> dict[str, SourceRecord]:
    now = made.clock.now()
    hour, week = timedelta(hours=1), timedelta(days=7)
    well = SourceRecord(polled_at=now, answered_at=now, tally=Tally(new=2, unchanged=8))
    ill = replace(well, failures=2, error="503 Service Unavailable", failing_since=now - hour)
    item = RefusedItem(item=f"item 3: {HOSTILE}", reason="it has no title")
    return {
        "up": replace(well, tally=Tally(new=1, refused=1, undated=3), refused=(item,)),
        "failing": ill,
        "down": replace(ill, failing_since=now - week, answered_at=None),
        "quiet": replace(well, news_at=now - 2 * week),
        "waiting": replace(ill, error="429 Too Many Requests", retry_at=now + hour),
    }


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
