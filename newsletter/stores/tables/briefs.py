"""The rows of briefs, and of the sources and links that they come with."""

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, ForeignKey, Integer

from newsletter.core.brief import Brief
from newsletter.core.source_record import RefusedItem, Tally, Validators
from newsletter.core.verification import Finding
from newsletter.stores.codec import json_column
from subscribers.db import columns
from subscribers.db.columns import Row


class BriefRow(Row, table=True):
    """The current revision of a brief, with its verdict."""

    id: int = columns.identity()
    key: str = columns.word(unique=True)
    digest: str = columns.word(unique=True)
    revision: int = columns.count()
    pillar: str = columns.word(index=True)
    title: str = columns.word()
    content: Brief = json_column(Brief)
    ruling: str = columns.word()
    findings: tuple[Finding, ...] = json_column(tuple[Finding, ...])
    topics: list[str] = columns.words()
    waived: list[str] = columns.words()
    held_by: str | None = columns.remark()
    received_at: datetime = columns.moment()
    revised_at: datetime = columns.moment()
    changed_by: str | None = (
        columns.remark()
    )  #: the person whose change is the newest; None: a source's
    changed_at: datetime | None = columns.moment(optional=True)


class BriefRevisionRow(Row, table=True):
    """One revision of a brief, as it was received."""

    brief_id: int = columns.part_of_key(ForeignKey("brief.id"))
    revision: int = columns.part_of_key(kind=Integer)
    digest: str = columns.word()
    content: Brief = json_column(Brief)
    received_at: datetime = columns.moment()
    by: str | None = columns.remark()  #: a person; None: it came from a source
    accepted_at: datetime | None = columns.moment(optional=True)  #: first; None: it never was


class PolledSourceRow(Row, table=True):
    """The last answer of a polled source, and the lease of whoever polls it now."""

    newsletter: str = columns.text_key()
    source: str = columns.text_key()
    validators: Validators = json_column(Validators)
    polled_at: datetime | None = columns.moment(optional=True)
    answered_at: datetime | None = columns.moment(optional=True)
    failures: int = columns.count()
    failing_since: datetime | None = columns.moment(optional=True)
    error: str = columns.word("")
    tally: Tally = json_column(Tally)
    refused: tuple[RefusedItem, ...] = json_column(tuple[RefusedItem, ...])
    retry_at: datetime | None = columns.moment(optional=True)
    read_from: str = columns.word("")
    baseline: tuple[str, ...] = json_column(tuple[str, ...])
    news_at: datetime | None = columns.moment(optional=True)
    longest_gap: timedelta = json_column(timedelta)
    lease_until: datetime | None = columns.moment(optional=True)


class LinkCheckRow(Row, table=True):
    """What a story's link answered last."""

    url: str = columns.text_key()
    state: str = columns.word()
    reason: str = columns.word("")
    final_url: str = columns.word("")
    length: int = columns.count(BigInteger)
    at: datetime = columns.moment()
