"""Polls the newsletters' sources: new briefs go through intake, failures are recorded."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from newsletter.core.brief import Brief, of_its_own
from newsletter.core.operator_alert import taken_down_alert
from newsletter.core.publication import Newsletter, day_of
from newsletter.core.similarity import is_another_story
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
    must_wait,
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
        if must_wait(record, now):
            self.sources.record(newsletter.slug, source.slug, record)
            report = self._report(newsletter, source, record)
            return Poll(result=PollResult.WAITING, tally=Tally(), report=report)
        since = now - _WINDOW * timedelta(hours=newsletter.caps.age_hours)
        known = self.briefs.unprinted_of(f"{newsletter.slug}/{source.slug}/", since)
        keys = [one.key for one in known]
        answer = self.reader.read(newsletter, source, record.validators, since, keys)
        tally = Tally()
        if isinstance(answer, SourceReading):
            for item in taken_down(answer, known, record.tally):
                self._hold(newsletter, source, item)
            record = self._with_baseline(record, source, answer.briefs)
            place = f"{newsletter.slug}/{source.slug}"
            answer, tally = self._receive(answer, place, frozenset(record.baseline), since)
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

    def _with_baseline(
        self, record: SourceRecord, source: PolledSource, briefs: Iterable[Brief]
    ) -> SourceRecord:
        """Return the record; at the first reading of an address with its undated items.

        An archive without dates is no news: those that come later are.
        """
        if record.read_from == source.url:
            return record
        undated = [one.key for one in briefs if one.undated]
        known = self.intake.known(undated)
        baseline = tuple(key for key in undated if key not in known)
        return replace(record, read_from=source.url, baseline=baseline)

    def _receive(
        self, reading: SourceReading, place: str, baseline: frozenset[str], since: datetime
    ) -> tuple[SourceReading, Tally]:
        """Receive each brief; one that no newsletter prints is refused like a malformed item.

        An old one is received only as a change of one that is known.
        """
        arrivals = Counter[str](older=reading.older)
        fresh = self._fresh(reading, baseline, since, arrivals)
        refused = list(reading.refused)
        for brief, found in zip(fresh, self.intake.receive_each(fresh, place=place), strict=True):
            if isinstance(found, InvalidBrief):
                refused.append(RefusedItem(item=brief.title, reason=found.reason))
            else:
                arrivals[found.arrival] += 1
        tally = Tally(**arrivals, refused=len(refused))
        return replace(reading, refused=tuple(refused)), tally

    def _fresh(
        self,
        reading: SourceReading,
        baseline: frozenset[str],
        since: datetime,
        arrivals: Counter[str],
    ) -> list[Brief]:
        """Return the briefs that are to be received, each under its key; count the others."""
        known = self.intake.known(key for one in reading.briefs for key in _keys(one))
        fresh = list[Brief]()
        for brief in (_under_its_own_key(one, known) for one in reading.briefs):
            if brief.undated and brief.key in baseline:
                arrivals["undated"] += 1
            elif brief.published and brief.published < since and brief.key not in known:
                arrivals["older"] += 1
            else:
                fresh.append(brief)
                known[brief.key] = brief  # to those that follow
        return fresh


def _keys(brief: Brief) -> tuple[str, str]:
    return brief.key, of_its_own(brief).key


def _under_its_own_key(brief: Brief, known: Mapping[str, Brief]) -> Brief:
    """Return the brief; under a key of its own if its source gave its id to another story."""
    stored = known.get(brief.key)
    return of_its_own(brief) if stored and is_another_story(brief, stored) else brief


_RESULTS: dict[type[Answer], PollResult] = {
    SourceReading: PollResult.READ,
    Unmodified: PollResult.UNMODIFIED,
    Unreadable: PollResult.FAILED,
}
