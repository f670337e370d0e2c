"""Polling of one source over HTTP."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial

from newsletter.adapters.sources.cleaning import heading, visible
from newsletter.adapters.sources.fetching import Document, Fetcher, FetchFailed
from newsletter.adapters.sources.items import CUT_SHORT, Item, brief_from
from newsletter.adapters.sources.kinds import READERS
from newsletter.adapters.sources.network import Deadline
from newsletter.core.brief import Brief
from newsletter.core.publication import Newsletter
from newsletter.core.source import PolledSource
from newsletter.core.source_record import (
    Answer,
    RefusedItem,
    SourceReading,
    Unmodified,
    Unreadable,
    Validators,
)
from newsletter.errors import InvalidBrief

_TITLE = 60  #: characters of a title, to know an item by


class HttpSourceReader:
    """Fetches a source and turns its items into briefs, each good or refused by itself."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    def read(
        self, newsletter: Newsletter, source: PolledSource, validators: Validators, since: datetime
    ) -> Answer:
        """Return the source's briefs; an error of any kind is an answer, too."""
        try:
            return self._read(newsletter, source, validators, since)
        except FetchFailed as failed:
            return Unreadable(str(failed), failed.retry_after)
        except Exception as error:  # noqa: BLE001  # a stranger's document must not stop the others
            return Unreadable(f"it cannot be read: unexpected {type(error).__name__}")

    def _read(
        self, newsletter: Newsletter, source: PolledSource, validators: Validators, since: datetime
    ) -> Answer:
        kind = READERS[source.kind]
        address = kind.address(source, since)
        basis = hashlib.sha256(
            f"{newsletter.pillar} {source.digest} {address}".encode()
        ).hexdigest()
        known = validators if validators.basis == basis else Validators()
        get = partial(self._fetcher.get, deadline=Deadline(self._fetcher.limits.seconds))
        document = get(address, etag=known.etag, last_modified=known.last_modified)
        if document.unmodified:
            return Unmodified()
        brief_of_item = partial(brief_from, kind=kind, newsletter=newsletter, source=source)
        reading = _sorted(kind.items(document, address, get), brief_of_item, since)
        # One that was cut short is asked for again, whatever its validators say.
        cut = any(one.reason == CUT_SHORT for one in reading.refused)
        return reading if cut else replace(reading, validators=_validators(document, basis))


def _validators(document: Document, basis: str) -> Validators:
    headers = document.headers
    return Validators(
        basis=basis,
        etag=headers.get("etag", ""),
        last_modified=headers.get("last-modified", ""),
    )


def _sorted(
    items: Iterable[Item], brief_of_item: Callable[[Item], Brief], since: datetime
) -> SourceReading:
    """Sort the items of one reading into briefs, refused items and older ones."""
    briefs: list[Brief] = []
    refused: list[RefusedItem] = []
    older = 0
    for number, item in enumerate(items, start=1):
        if item.changed and item.changed < since:
            older += 1
            continue
        try:
            brief = brief_of_item(item)
        except InvalidBrief as fault:
            reason = fault.reason
        else:
            # Pages may shift while they are fetched: the same post then comes twice.
            if brief not in briefs:
                briefs.append(brief)
            continue
        refused.append(RefusedItem(item=_place(number, item), reason=visible(reason)))
    return SourceReading(briefs=tuple(briefs), refused=tuple(refused), older=older)


def _place(number: int, item: Item) -> str:
    """Return what a person finds an item by in its source: its title, or else its link or id."""
    title = heading(item.title)[:_TITLE]
    known_by = f" “{title}”" if title else f" {visible(item.link or item.id)[:200]}".rstrip()
    return f"item {number}{known_by}"
