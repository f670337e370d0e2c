"""The desk of lists: take them in, take an import back, give them out."""

import zoneinfo
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from pathlib import Path

from subscribers.errors import InvalidList, NoSuchImport
from subscribers.lists.encoding import written_whole
from subscribers.lists.formats import read_mapping, service_of
from subscribers.lists.reader_process import ListFile, Progress, reading
from subscribers.model import ImportReport, PastImport, Undone
from subscribers.ports import ListImport, ListStore
from subscribers.segments.filters import Filter


class Lists:
    """Lists of subscribers, as they come in and go out."""

    def __init__(self, store: ListStore) -> None:
        self._store = store

    def import_list(
        self,
        path: Path,
        newsletter: str,
        *,
        known_topics: Collection[str],
        default_zone: str,
        consent_source: str,
        now: datetime,
        actor: str = "operator",
        explained: Iterable[str] = (),
        encoding: str | None = None,
        results: Path | None = None,
        dry_run: bool = False,
        on_progress: Progress | None = None,
    ) -> ImportReport:
        """Store the good rows of a list; answer for every row in the results file.

        Raises InvalidList, with nothing stored, when the list as a whole cannot be read. A dry run
        stores nothing and answers the same. `explained` says of columns what they mean, such as
        `E-Mail=email`. `results` stands beside the list unless given.
        """
        # Long because there is much to say of a list; each word is passed on once.
        zones = zoneinfo.available_timezones()
        results = results or path.with_suffix(".results.csv")
        _require(default_zone in zones, f"unknown time zone: {default_zone}")
        _require(consent_source.strip(), "say where the consent of these subscribers came from")
        _require(results.resolve() != path.resolve(), "the results would overwrite the list")
        wanted = ListFile(
            path=path,
            encoding=encoding,
            mapping=read_mapping(explained),
            known_topics=frozenset(known_topics),
            known_zones=frozenset(zones),
        )
        with written_whole(results) as answers, reading(wanted, on_progress) as rows:
            about = ListImport(
                file=path.name,
                newsletter=newsletter,
                consent_source=consent_source.strip(),
                format=rows.head.kind,
                service=service_of(rows.head.kind),
                actor=actor,
                default_zone=default_zone,
                at=now,
            )
            done = self._store.import_rows(
                rows, rows.head.fields, about, answers.write, dry_run=dry_run
            )
        return ImportReport(
            rows=rows.rows,
            counts=done.counts,
            results=str(results),
            ignored_columns=rows.head.ignored_columns,
            dry_run=dry_run,
            format=rows.head.kind,
            encoding=rows.head.encoding,
            import_id=done.import_id,
        )

    def imports(self, newsletter: str | None = None, *, limit: int = 50) -> tuple[PastImport, ...]:
        """Return what was imported, the latest first."""
        return self._store.imports(newsletter, limit)

    def undo(self, import_id: int, *, now: datetime, actor: str, dry_run: bool = False) -> Undone:
        """Take an import back, but for what its subscribers have made their own.

        Undone twice is undone once. Raises NoSuchImport.
        """
        undone = self._store.undo(import_id, at=now, actor=actor, dry_run=dry_run)
        if undone is None:
            raise NoSuchImport(f"there was no import {import_id}")
        return undone

    def export(
        self,
        newsletter: str,
        chosen: Filter,
        take: Callable[[bytes], object],
        *,
        now: datetime,
        csv: bool = True,
    ) -> int:
        """Give the subscriptions that a filter matches, by address; return how many they are.

        As CSV, which an import of ours takes back and changes nothing; or as a JSON object a line.
        """
        return self._store.export(newsletter, chosen, now.astimezone(UTC).date(), take, csv=csv)

    def write(self, path: Path, newsletter: str, chosen: Filter, *, now: datetime) -> int:
        """Write such an export into a file, which is whole or not there; raise InvalidList."""
        _require(path.suffix in (".csv", ".ndjson"), f"{path}: a file ends in .csv or .ndjson")
        with written_whole(path) as file:
            return self.export(newsletter, chosen, file.write, now=now, csv=path.suffix == ".csv")


def _require(met: object, otherwise: str) -> None:
    if not met:
        raise InvalidList(otherwise)
