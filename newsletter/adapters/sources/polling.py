"""Polling of one source over HTTP."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from newsletter.adapters.sources.cleaning import heading, visible
from newsletter.adapters.sources.fetching import Document, Fetcher, FetchFailed
from newsletter.adapters.sources.items import (
    CUT_SHORT,
    Get,
    Item,
    KindReader,
    brief_from,
    is_shown,
    item_key,
)
from newsletter.adapters.sources.kinds import READERS
from newsletter.adapters.sources.network import Deadline
from newsletter.adapters.values import moment
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
        self,
        newsletter: Newsletter,
        source: PolledSource,
        validators: Validators,
        since: datetime,
        known: Sequence[str] = (),
    ) -> Answer:
        """Return the source's briefs; an error of any kind is an answer, too."""
        try:
            return self._read(newsletter, source, validators, since, known)
        except FetchFailed as failed:
            return Unreadable(str(failed), failed.retry_after)
        except Exception as error:  # noqa: BLE001  # a stranger's document must not stop the others
            return Unreadable(f"it cannot be read: unexpected {type(error).__name__}")

    def _read(
        self,
        newsletter: Newsletter,
        source: PolledSource,
        validators: Validators,
        since: datetime,
        known: Sequence[str],
    ) -> Answer:
        kind = READERS[source.kind]
        address = kind.address(source, since)
        basis = hashlib.sha256(
            f"{newsletter.pillar} {source.digest} {address}".encode()
        ).hexdigest()
        given = validators if validators.basis == basis else Validators()
        get = partial(self._fetcher.get, deadline=Deadline(self._fetcher.limits.seconds))
        document = get(address, etag=given.etag, last_modified=given.last_modified)
        if document.unmodified:
            return Unmodified()
        brief_of_item = partial(brief_from, kind=kind, newsletter=newsletter, source=source)
        items = list(kind.items(document, address, get))
        reading = _sorted(items, brief_of_item, since)
        ids = [key.removeprefix(f"{newsletter.slug}/{source.slug}/") for key in known]
        shown = _shown(items, kind, address, get, ids)
        seen = frozenset(item_key(newsletter, source, one) for one in shown)
        dates = [date for item in items if (date := moment(item.published))]
        reading = replace(
            reading,
            seen=seen,
            every=kind.still_shown is not None,
            oldest=min(dates, default=None),
            items=len(items),
        )
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


def _shown(
    items: Iterable[Item], kind: KindReader, address: str, get: Get, known: Sequence[str]
) -> set[str]:
    """Return the ids of what the source shows, and of known items it shows when asked for them."""
    shown = {item.id for item in items if is_shown(item)}
    if kind.still_shown and (missing := [one for one in known if one not in shown]):
        shown |= set(kind.still_shown(address, missing, get))
    return shown


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
