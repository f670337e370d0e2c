"""Polls the newsletters' sources: new briefs go through intake, failures are recorded."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta

from newsletter.core.operator_alert import taken_down_alert
from newsletter.core.publication import Newsletter, day_of
from newsletter.core.source import PolledSource
from newsletter.core.source_record import (
    Answer,
    KnownItem,
    PollResult,
    RefusedItem,
    SourceHealth,
    SourceReading,
    SourceRecord,
    Tally,
    Unmodified,
    Unreadable,
    health_of,
    is_due,
    recorded,
    taken_down,
)
from newsletter.errors import InvalidBrief
from newsletter.ports import Clock, SourceReader
from newsletter.services.intake import Intake
from newsletter.stores.briefs import BriefStore
from newsletter.stores.issues import IssueStore
from newsletter.stores.schedule import ScheduleStore
from newsletter.stores.sources import SourceStore

_LEASE = timedelta(minutes=10)  #: much longer than a poll takes; a killed one is made up for then
_WINDOW = 2  #: times the age a story may have: leaves time for its corrections


@dataclass(frozen=True, kw_only=True)
class SourceReport:
    """A polled source with what is stored of it and its health."""

    newsletter: str
    source: PolledSource
    record: SourceRecord
    health: SourceHealth


@dataclass(frozen=True, kw_only=True)
class Poll:
    """What polling one source came to."""

    result: PollResult
    tally: Tally  #: of this poll: nothing but zeros unless it was read
    report: SourceReport


@dataclass(eq=False)
class Polling:
    """Polls sources that are due, one process at a time for each."""

    intake: Intake
    briefs: BriefStore
    issues: IssueStore
    schedule: ScheduleStore
    sources: SourceStore
    reader: SourceReader
    clock: Clock
    down_after: timedelta

    def poll_all(self, newsletter: Newsletter) -> tuple[Poll, ...]:
        """Poll every source of a newsletter, one after the other; a bad one stops no other."""
        return tuple(self.poll(newsletter, source) for source in newsletter.sources)

    def poll_due(self, newsletter: Newsletter) -> tuple[Poll, ...]:
        """Poll the sources that are due; harmless to call often."""
        now = self.clock.now()
        due = [r.source for r in self.reports(newsletter) if is_due(r.source, r.record, now)]
        return tuple(self.poll(newsletter, source) for source in due)

    def poll(self, newsletter: Newsletter, source: PolledSource) -> Poll:
        """Read a source, receive its briefs, and record the result."""
        now = self.clock.now()
        record = self.sources.take(newsletter.slug, source.slug, now=now, lease=_LEASE)
        if record is None:
            report = self.report(newsletter, source)
            return Poll(result=PollResult.BUSY, tally=Tally(), report=report)
        since = now - _WINDOW * timedelta(hours=newsletter.caps.age_hours)
        known = self.briefs.unprinted_of(f"{newsletter.slug}/{source.slug}/", since)
        keys = [one.key for one in known]
        answer = self.reader.read(newsletter, source, record.validators, since, keys)
        tally = Tally()
        if isinstance(answer, SourceReading):
            for item in taken_down(answer, known, record.tally):
                self._hold(newsletter, source, item)
            answer, tally = self._receive(answer, f"{newsletter.slug}/{source.slug}")
        record = recorded(record, answer, tally, self.clock.now())
        self.sources.record(newsletter.slug, source.slug, record)
        report = self._report(newsletter, source, record)
        return Poll(result=_RESULTS[type(answer)], tally=tally, report=report)

    def poll_again(self, newsletter: Newsletter, on: date) -> None:
        """Poll the sources of a day's issue once more, unless it was planned before."""
        stored = self.issues.find(newsletter.slug, on)
        if stored is None or stored.planned_at is not None:
            return
        keys = [entry.brief.key for entry in stored.issue.entries]
        for source in newsletter.sources:
            prefix = f"{newsletter.slug}/{source.slug}/"
            if any(key.startswith(prefix) for key in keys):
                self.poll(newsletter, source)

    def _hold(self, newsletter: Newsletter, source: PolledSource, item: KnownItem) -> None:
        """Hold a story that its source has taken down, and tell operators."""
        now = self.clock.now()
        self.intake.hold(item.brief_id, actor=f"the source {source.slug}, which took it down")
        on = day_of(newsletter.timetable, now)
        alert = taken_down_alert(newsletter.slug, on, source.slug, item)
        self.schedule.queue_alert(alert, now)

    def reports(self, newsletter: Newsletter) -> tuple[SourceReport, ...]:
        return tuple(self.report(newsletter, source) for source in newsletter.sources)

    def report(self, newsletter: Newsletter, source: PolledSource) -> SourceReport:
        return self._report(newsletter, source, self.sources.find(newsletter.slug, source.slug))

    def _report(
        self, newsletter: Newsletter, source: PolledSource, record: SourceRecord
    ) -> SourceReport:
        health = health_of(record, self.clock.now(), self.down_after)
        return SourceReport(newsletter=newsletter.slug, source=source, record=record, health=health)

    def _receive(self, reading: SourceReading, place: str) -> tuple[SourceReading, Tally]:
        """Receive each brief; one that no newsletter prints is refused like a malformed item."""
        arrivals: Counter[str] = Counter(older=reading.older)
        refused = list(reading.refused)
        for brief in reading.briefs:
            try:
                arrivals[self.intake.receive(brief, place=place).arrival] += 1
            except InvalidBrief as fault:
                refused.append(RefusedItem(item=brief.title, reason=fault.reason))
        tally = Tally(**arrivals, refused=len(refused))
        return replace(reading, refused=tuple(refused)), tally


_RESULTS: dict[type[Answer], PollResult] = {
    SourceReading: PollResult.READ,
    Unmodified: PollResult.UNMODIFIED,
    Unreadable: PollResult.FAILED,
}
