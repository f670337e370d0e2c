"""What the bench runs on: a server of its own, a newsletter with many topics, and its list.

Each topic has a brief of its own, so that no two of the topic sets choose the same: eleven topics
give 2,047 editions, the most that so many can ask for.
"""

import csv
import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import psycopg
from pydantic import SecretStr
from sqlalchemy import make_url

from newsletter.adapters.embedded import running
from newsletter.container import Container
from newsletter.core.publication import Newsletter, day_of
from newsletter.core.stored import StoredIssue
from newsletter.settings import Settings, load_settings, shipped
from tests.container import brief
from tests.signing import Seal

SLUG = "technology"
#: Words that do not resemble one another, or verification would find one story twice.
_TOPICS = (
    "glaciers",
    "tramways",
    "orchards",
    "compilers",
    "lighthouses",
    "parliaments",
    "violins",
    "satellites",
    "bakeries",
    "submarines",
    "libraries",
)
MOST_TOPICS = len(_TOPICS)
_WORDS = "A report that is long enough to look like one, and says what happened, to whom and why. "


@dataclass(frozen=True)
class Installation:
    """A folder, an embedded PostgreSQL, a sink, and settings for both."""

    folder: Path
    server: str  #: URL of the server's first database
    settings: Settings
    seal: Seal

    @property
    def newsletter(self) -> Newsletter:
        """Return the newsletter of the bench."""
        return self.settings.newsletter(SLUG)

    def url(self, database: str) -> str:
        """Return the URL of a database of this server."""
        return make_url(self.server).set(database=database).render_as_string(hide_password=False)

    def create(self, database: str, template: str = "template1") -> None:
        """Create a database, as a copy of a template that nobody is connected to."""
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')

    def server_process(self) -> psutil.Process:
        """Return the server's first process, the parent of all others."""
        with psycopg.connect(self.server) as connection:
            parent = psutil.Process(connection.info.backend_pid).parent()
        assert parent
        return parent

    def drop(self, database: str) -> None:
        """Drop a database that is needed no more: ten million readers take six gigabytes."""
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{database}" WITH (FORCE)')

    def has(self, database: str) -> bool:
        """Return whether there is such a database."""
        asked = "SELECT FROM pg_database WHERE datname = %s"
        with psycopg.connect(self.server) as connection:
            return bool(connection.execute(asked, [database]).fetchall())

    @contextmanager
    def copied(self, database: str, template: str) -> Iterator[str]:
        """Copy a database for a while."""
        self.create(database, template)
        yield database
        self.drop(database)

    @contextmanager
    def container(self, database: str) -> Iterator[Container]:
        """Open the service on a database."""
        environment = self.settings.environment.model_copy(
            update={"database_url": SecretStr(self.url(database))}
        )
        with closing(Container(replace(self.settings, environment=environment))) as container:
            yield container

    def environ(self, database: str) -> dict[str, str]:
        """Return the environment of a process of the service on a database."""
        return os.environ | {
            "NEWSLETTER_CONFIG": str(self.folder / "config"),
            "NEWSLETTER_DATABASE_URL": self.url(database),
            "NEWSLETTER_SENDGRID_HOST": self.settings.sendgrid_host,
            "SENDGRID_API_KEY": "SG.bench",
            "SENDGRID_WEBHOOK_KEY": self.seal.public_key,
        }


@contextmanager
def opened(sink_url: str, *, topics: int) -> Iterator[Installation]:
    """Make an installation, and clear it away afterwards."""
    with tempfile.TemporaryDirectory(prefix="newsletter-bench-", ignore_cleanup_errors=True) as tmp:
        folder, seal = Path(tmp), Seal()
        _write_config(folder / "config", _TOPICS[:topics])
        settings = load_settings(folder / "config")
        environment = settings.environment.model_copy(
            update={
                "var": folder,
                "sendgrid_host": sink_url,
                "sendgrid_api_key": SecretStr("SG.bench"),
                "sendgrid_webhook_key": seal.public_key,
            }
        )
        with running(folder / "postgres") as server:
            url = server.set(drivername="postgresql").render_as_string(hide_password=False)
            yield Installation(folder, url, replace(settings, environment=environment), seal)


def _write_config(folder: Path, slugs: tuple[str, ...]) -> None:
    """Write the shipped settings with other topics in place of their own."""
    (folder / "newsletters").mkdir(parents=True)
    (folder / "service.toml").write_text((shipped("config") / "service.toml").read_text())
    name = f"newsletters/{SLUG}.toml"
    head = (shipped("config") / name).read_text().partition("[[topics]]")[0]
    topics = (
        f'[[topics]]\nslug = "{slug}"\ntitle = "{slug.title()}"\nblurb = "All about {slug}."\n'
        f'keywords = ["{slug}"]\n'
        for slug in slugs
    )
    (folder / name).write_text(head + "\n".join(topics))


def write_list(
    path: Path, readers: int, topics: tuple[str, ...], *, domain: str = "example.com"
) -> Path:
    """Write a list; one reader after another chooses the next of the topic sets."""
    chosen = [
        ";".join(slug for bit, slug in enumerate(topics) if mask >> bit & 1)
        for mask in range(1, 2 ** len(topics))
    ]
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["email", "topics"])
        for number in range(readers):
            rows.writerow([f"reader-{number:07}@{domain}", chosen[number % len(chosen)]])
    return path


def import_list(container: Container, path: Path) -> int:
    """Import a list as an operator does; return how many subscribers it added."""
    report = container.lists.import_list(
        path,
        SLUG,
        known_topics=container.settings.newsletter(SLUG).topic_slugs,
        default_zone="UTC",
        consent_source="bench",
        now=container.clock.now(),
    )
    return report.counts["added"]  # type: ignore[index]


def approved_issue(container: Container) -> StoredIssue:
    """Receive a brief on each topic and set the day's issue, which its policy approves."""
    newsletter = container.settings.newsletter(SLUG)
    for slug in newsletter.topic_slugs:
        title = f"{slug.title()} are in the news"
        container.intake.receive(brief(title=title, summary=_WORDS, why=_WORDS, topics=(slug,)))
    stored = container.publishing.assemble(
        newsletter, day_of(newsletter.timetable, container.clock.now())
    )
    assert len(stored.issue.entries) == len(newsletter.topics), "a brief of the bench was held"
    return stored
