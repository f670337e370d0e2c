"""Gathers what the checks before sending may know, and keeps who saw what they found."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from newsletter.core.edition import Edition, Letter
from newsletter.core.forecast import Forecast, ForecastEdition
from newsletter.core.galley import Galley
from newsletter.core.letter_size import NEARLY_CLIPPED, NOBODY, EditionSize, size_of
from newsletter.core.link_check import picture_links, story_links
from newsletter.core.mailing import envelope_of, personal, personalized
from newsletter.core.preflight import (
    LowContrast,
    PreflightContext,
    PreflightFinding,
    PreflightGrade,
    unusual_words,
)
from newsletter.core.preflight_looks import preflight
from newsletter.core.publication import Newsletter
from newsletter.core.stored import StoredIssue
from newsletter.errors import NotAllowed, NotFound
from newsletter.ports import Clock, Renderer
from newsletter.services.forecast import Forecasts
from newsletter.services.past_issues import PastIssues
from newsletter.services.preview import letter_sizer
from newsletter.services.publishing import Publishing
from newsletter.stores.link_checks import LinkCheckStore
from newsletter.stores.preflight_ticks import PreflightTick, PreflightTicks


@dataclass(frozen=True, kw_only=True)
class PreflightReport:
    """What the checks found about an issue as it would leave now, and who saw what."""

    content_hash: str  #: what a tick is about; "" when nothing is set
    findings: tuple[PreflightFinding, ...]
    ticks: tuple[PreflightTick, ...]

    @property
    def stops(self) -> tuple[PreflightFinding, ...]:
        return self._of(PreflightGrade.STOPS)

    @property
    def looks(self) -> tuple[PreflightFinding, ...]:
        return self._of(PreflightGrade.LOOK)

    @property
    def open(self) -> tuple[PreflightFinding, ...]:
        """Return what somebody should look at and nobody has ticked."""
        seen = {tick.finding for tick in self.ticks}
        return tuple(one for one in self.looks if one.key not in seen)

    def _of(self, grade: PreflightGrade) -> tuple[PreflightFinding, ...]:
        return tuple(one for one in self.findings if one.grade is grade)


class _Measured(NamedTuple):
    """The sizes of a forecast's editions, and what they depend on."""

    galley: Galley
    editions: tuple[ForecastEdition, ...]
    sizes: tuple[tuple[int, Edition], ...]


@dataclass(eq=False)
class Preflight:
    """Says what is in an issue's way. It reads only; `tick` alone writes."""

    publishing: Publishing
    forecasts: Forecasts
    renderer: Renderer
    past: PastIssues
    links: LinkCheckStore
    ticks: PreflightTicks
    obstacles: Callable[[Newsletter], Sequence[str]]
    low_contrasts: Callable[[str], tuple[LowContrast, ...]]
    clock: Clock
    _measured: dict[str, _Measured] = field(default_factory=dict[str, _Measured])  #: by slug

    def report(self, newsletter: Newsletter, on: date, *, anew: bool = False) -> PreflightReport:
        """Check the issue as it would leave now; `anew` counts its readers at this moment."""
        found = self.forecasts.of(newsletter, on, anew=anew)
        try:
            stored = self.publishing.proof(newsletter, on)
        except NotFound:
            stored = None
        digest = (stored and stored.content_hash) or ""
        return PreflightReport(
            content_hash=digest,
            findings=preflight(self._context(newsletter, found, stored)),
            ticks=self._ticks(newsletter, on, digest),
        )

    def open(self, newsletter: Newsletter, on: date) -> tuple[PreflightFinding, ...]:
        """Return what is to be looked at and not ticked yet."""
        return self.report(newsletter, on).open

    def tick(
        self, newsletter: Newsletter, on: date, *, content_hash: str, finding: str, actor: str
    ) -> PreflightReport:
        """Keep that a person saw a finding; NotAllowed when it is about another content."""
        report = self.report(newsletter, on)
        if not content_hash or report.content_hash != content_hash:
            raise NotAllowed("the issue changed since: look at it again")
        if finding not in {one.key for one in report.looks}:
            raise NotFound("there is no such finding about this issue any more")
        issue_id = self.publishing.issue(newsletter, on).id
        tick = PreflightTick(finding=finding, by=actor, at=self.clock.now())
        self.ticks.add(issue_id, content_hash, tick)
        return self.report(newsletter, on)

    def _ticks(self, newsletter: Newsletter, on: date, digest: str) -> tuple[PreflightTick, ...]:
        draft = self.publishing.issues.find(newsletter.slug, on)
        return self.ticks.of(draft.id, digest) if draft and digest else ()

    def _context(
        self, newsletter: Newsletter, found: Forecast, stored: StoredIssue | None
    ) -> PreflightContext:
        issue = found.issue
        if stored is None:
            return PreflightContext(newsletter=newsletter, issue=issue, forecast=found, whole=None)
        whole = self.publishing.whole(stored)
        sizes = self._sizes(newsletter, stored, found)
        smallest, largest = self._extremes(newsletter, stored, sizes)
        urls = (*story_links(issue), *picture_links(whole.html))
        return PreflightContext(
            newsletter=newsletter,
            issue=issue,
            forecast=found,
            whole=whole,
            shown=self._shown(newsletter, whole),
            obstacles=tuple(self.obstacles(newsletter)),
            other_templates=self._other_templates(newsletter, stored),
            smallest=smallest,
            largest=largest,
            large_editions=sum(size > NEARLY_CLIPPED for size, _ in sizes),
            links={check.url: check for check in self.links.find(urls)},
            past=self.past.compared(newsletter, issue.date),
            new_words=unusual_words(issue, self.past.words(newsletter, issue.date)),
            contrasts=self.low_contrasts(whole.html),
        )

    def _other_templates(self, newsletter: Newsletter, proof: StoredIssue) -> bool:
        """Return whether what is stored differs from the same issue set now."""
        draft = self.publishing.issues.find(newsletter.slug, proof.issue.date)
        if draft is None or draft.galley is None or not draft.issue.entries:
            return False
        if draft.state.is_open and draft.issue == proof.issue:
            return proof.galley != draft.galley  # the proof was set just now
        return self.renderer.set(newsletter, draft.issue) != draft.galley

    def _shown(self, newsletter: Newsletter, letter: Letter) -> Letter:
        envelope = envelope_of(newsletter, self.publishing.base_url)
        return personalized(letter, personal(envelope, NOBODY))

    def _sizes(
        self, newsletter: Newsletter, stored: StoredIssue, found: Forecast
    ) -> tuple[tuple[int, Edition], ...]:
        """Measure the editions; those of the same galley and forecast were measured before."""
        last, galley = self._measured.get(newsletter.slug), stored.need_galley()
        if last and last.editions is found.editions and last.galley == galley:
            return last.sizes
        size = letter_sizer(stored)
        sizes = tuple((size(one.edition), one.edition) for one in found.editions)
        self._measured[newsletter.slug] = _Measured(galley, found.editions, sizes)
        return sizes

    def _extremes(
        self, newsletter: Newsletter, stored: StoredIssue, sizes: Sequence[tuple[int, Edition]]
    ) -> Iterator[EditionSize | None]:
        """Yield the smallest and the largest: chosen by their galley's parts, measured as sent."""
        for choose in (min, max):
            if not sizes:
                yield None
                continue
            _, edition = choose(sizes, key=lambda one: one[0])
            letter = self.publishing.letter(stored, edition)
            yield size_of(self.publishing.envelope(newsletter), edition, letter)
