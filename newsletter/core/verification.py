"""The gate: named checks, their findings, and the verdict on a brief."""

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from newsletter.core.brief import Brief
from newsletter.core.publication import Newsletter


class Ruling(StrEnum):
    """What becomes of a brief."""

    ACCEPTED = "accepted"  #: may be printed
    HELD = "held"  #: waits for a person, or for a correction
    REJECTED = "rejected"  #: will not be printed as it is


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one check found; every finding is kept, also the good ones."""

    check: str
    passed: bool
    reason: str  #: one sentence a marketer understands, with the evidence
    otherwise: Ruling = Ruling.HELD  #: what a failure leads to
    waivable: bool = True  #: whether a person may accept the brief all the same
    waived: bool = False  #: a person did


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The ruling on a brief, with all its findings and its settled topics."""

    ruling: Ruling
    findings: tuple[Finding, ...]
    topics: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Known:
    """Another brief, as far as the duplicate check needs it."""

    brief_id: int
    title: str
    url: str
    printed: bool  #: in an issue already approved or sent


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the checks may know besides the brief itself."""

    newsletter: Newsletter
    now: datetime
    topics: tuple[str, ...]  #: known ones only: the author's, else those the keyword rules suggest
    others: tuple[Known, ...]  #: recent briefs of the same pillar, this one left out


Check = Callable[[Brief, Evidence], Finding]


def rule(findings: Iterable[Finding]) -> Ruling:
    """Return the worst ruling that a failed and unwaived finding leads to."""
    failed = {f.otherwise for f in findings if not (f.passed or f.waived)}
    for worst in (Ruling.REJECTED, Ruling.HELD):
        if worst in failed:
            return worst
    return Ruling.ACCEPTED


def verify(brief: Brief, evidence: Evidence, *, waived: AbstractSet[str] = frozenset()) -> Verdict:
    """Put the brief through every check and rule on it; `waived` names checks a person waived."""
    raise NotImplementedError
