"""What every measurement uses: sizes, and databases that are made when the first needs them."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.bench.installation import (
    MOST_TOPICS,
    Installation,
    approved_issue,
    import_list,
    write_list,
)
from tests.bench.sending import send
from tests.bench.sink import Sink


@dataclass(frozen=True)
class Sizes:
    """The sizes of all measurements."""

    readers: int
    topics: int
    fewer: int  #: readers of the smaller send, which shows how the cost grows
    events: int
    unsubscribes: int
    posted: int  #: recipients of each bare send
    mixed_seconds: int
    mixed_import: int  #: rows of the list that is imported meanwhile
    starts: int  #: of each short command
    naive: int  #: readers of the loop that renders everything for each
    past: int  #: issues of the history
    past_readers: int  #: readers of each, and of the issue that is compared

    @classmethod
    def of(cls, readers: int, past: int = 12) -> "Sizes":
        """Return the sizes of a run with so many readers, and so many issues of history."""
        return cls(
            readers=readers,
            topics=min(MOST_TOPICS, max(2, (readers // 40).bit_length() - 1)),
            fewer=max(1, min(readers // 10, 1_000_000)),
            events=min(readers, 50_000),
            unsubscribes=min(readers, 10_000),
            posted=min(max(readers, 1000), 100_000),
            mixed_seconds=30 if readers >= 10_000 else 1,
            mixed_import=min(readers, 100_000),
            starts=7 if readers >= 10_000 else 1,
            naive=20 if readers >= 10_000 else 3,
            past=past,
            past_readers=min(readers, 200_000),
        )


@dataclass(frozen=True)
class Bench:
    """What every measurement uses.

    A database stays only as long as something needs it, and nothing holds all readers in memory:
    ten million are measured in 24 GB of memory and 60 GB of disk.
    """

    installation: Installation
    sink: Sink
    sizes: Sizes
    log: Callable[[str], None]

    def make_empty(self) -> None:
        """Make a database with all tables, to copy from."""
        self.installation.create("empty")
        with self.installation.container("empty") as container:
            container.engine  # noqa: B018  # makes the tables

    def many(self) -> str:
        """Return the database of all readers, to copy from."""
        return self.listed("many", self.sizes.readers)

    def few(self) -> str:
        """Return the database of a tenth of the readers, whose issue is approved."""
        few = self.listed("few", self.sizes.fewer)
        with self.installation.container(few) as container:
            approved_issue(container)
        return few

    def listed(self, database: str, readers: int) -> str:
        """Return a database into which so many readers were imported."""
        installation = self.installation
        if not installation.has(database):
            self.log(f"importing {readers:,} readers")
            installation.create(database, "empty")
            path = installation.folder / f"{database}.csv"
            write_list(path, readers, installation.newsletter.topic_slugs)
            with installation.container(database) as container:
                import_list(container, path)
            path.unlink()
        return database

    def set_issue(self) -> tuple[int, int]:
        """Approve the issue of all readers; return its MJML compiles and inlinings."""
        with self.installation.container(self.many()) as container:
            self.log("setting the issue")
            approved_issue(container)
            return container.renderer.compiles, container.renderer.inlinings

    def copy_to_send(self, database: str) -> str:
        """Return a database of all readers, whose issue is approved."""
        self.installation.create(database, self.many())
        return database

    def sent(self) -> str:
        """Return a database of all readers, whose issue two workers have sent."""
        if not self.installation.has("two"):
            self.set_issue()
            database, readers = self.copy_to_send("two"), self.sizes.readers
            self.log(f"sending to {readers:,}")
            send(self.installation, database, self.sink, workers=2, readers=readers)
        return "two"
