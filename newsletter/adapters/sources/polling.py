"""Polling: asking a source what it says now."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from functools import partial

from newsletter.adapters.sources.cleaning import plain, visible
from newsletter.adapters.sources.feeds import read_feed
from newsletter.adapters.sources.fetching import Document, Fetcher, FetchFailed
from newsletter.adapters.sources.items import Item, brief_from
from newsletter.adapters.sources.network import Deadline
from newsletter.adapters.sources.wordpress import first_page, read_pages
from newsletter.core.brief import Brief
from newsletter.core.publication import Newsletter
from newsletter.core.source import PolledSource, SourceKind
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
    """SourceReader over HTTP."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    def read(
        self, newsletter: Newsletter, source: PolledSource, validators: Validators, since: datetime
    ) -> Answer:
        """Return what the source says now; whatever is wrong with it is an answer, too."""
        try:
            return self._read(newsletter, source, validators, since)
        except FetchFailed as failed:
            return Unreadable(str(failed))
        except Exception as error:  # noqa: BLE001  # a stranger's document stops nobody else
            return Unreadable(f"it cannot be read: unexpected {type(error).__name__}")

    def _read(
        self, newsletter: Newsletter, source: PolledSource, validators: Validators, since: datetime
    ) -> Answer:
        wordpress = source.kind is SourceKind.WORDPRESS
        address = first_page(source, since) if wordpress else source.url
        basis = hashlib.sha256(
            f"{newsletter.pillar} {source.digest} {address}".encode()
        ).hexdigest()
        known = validators if validators.basis == basis else Validators()
        get = partial(self._fetcher.get, deadline=Deadline(self._fetcher.limits.seconds))
        document = get(address, etag=known.etag, last_modified=known.last_modified)
        if document.unmodified:
            return Unmodified()
        items = read_pages(document, address, get) if wordpress else read_feed(document)
        return _Reader(newsletter, source, since).reading(items, _validators(document, basis))


def _validators(document: Document, basis: str) -> Validators:
    headers = document.headers
    return Validators(
        basis=basis,
        etag=headers.get("etag", ""),
        last_modified=headers.get("last-modified", ""),
    )


class _Reader:
    """Sorts the items of one reading: briefs, refused ones, older ones."""

    def __init__(self, newsletter: Newsletter, source: PolledSource, since: datetime) -> None:
        self._newsletter, self._source, self._since = newsletter, source, since
        self._briefs: dict[str, Brief] = {}
        self._refused: list[RefusedItem] = []
        self._older = 0

    def reading(self, items: Iterable[Item], validators: Validators) -> SourceReading:
        for number, item in enumerate(items, start=1):
            if item.changed and item.changed < self._since:
                self._older += 1
                continue
            try:
                self._take(item)
            except InvalidBrief as fault:
                title = f" “{plain(item.title):.{_TITLE}}”" if item.title else ""
                place = f"item {number}{title}"
                self._refused.append(RefusedItem(item=place, reason=visible(fault.reason)))
        return SourceReading(
            briefs=tuple(self._briefs.values()),
            refused=tuple(self._refused),
            older=self._older,
            validators=validators,
        )

    def _take(self, item: Item) -> None:
        if not item.id:
            raise InvalidBrief("item", "it has neither an id nor a link: it cannot be told apart")
        brief = brief_from(item, self._newsletter, self._source, "item")
        # A page may shift while it is turned: the same post then comes twice.
        if self._briefs.setdefault(brief.key, brief) != brief:
            raise InvalidBrief("item", "its id was another item's before")
