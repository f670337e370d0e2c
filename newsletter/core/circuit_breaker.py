"""The circuit breaker: when too much went wrong with an issue for it to go on by itself.

See docs/decisions/a-share-is-judged-on-enough.md.
"""

from dataclasses import dataclass
from datetime import timedelta

UNKNOWN = "unknown"  #: the only share that evidence can refute

_KINDS = ("complained", "bounced", UNKNOWN, "refused")  #: the worst first
_LOOKS = 4  #: it looks again once a quarter more was sent


@dataclass(frozen=True, kw_only=True)
class CircuitBreaker:
    """Shares of the recipients sent to so far, above which an issue pauses automatically."""

    after: int  #: recipients; of fewer, a share says nothing
    refused: float  #: share of refused recipients
    unknown: float  #: share of recipients in unknown batches
    bounced: float  #: share of bounces
    complained: float  #: share of complaints
    requests: int = 5  #: of fewer, one lost answer says nothing about the share of unknown
    unknown_minutes: float = 5  #: age of a lost answer before it counts; until then batches wait

    @property
    def proof_takes(self) -> timedelta:
        """Return the age of a lost answer by which proof usually has come."""
        return timedelta(minutes=self.unknown_minutes)


@dataclass(frozen=True, kw_only=True)
class FailureCounts:
    """What has gone wrong with an issue so far, in recipients."""

    asked: int
    requests: int  #: batches with an answer, or without one that is still to come
    refused: int
    unknown: int
    young: int  #: of the unknown: proof may yet come
    bounced: int
    complained: int


NOTHING_FAILED = FailureCounts(
    asked=0, requests=0, refused=0, unknown=0, young=0, bounced=0, complained=0
)


@dataclass(frozen=True)
class Trip:
    """The share that tripped the circuit breaker, and the sentence about it."""

    kind: str
    reason: str


def tripped(breaker: CircuitBreaker, failures: FailureCounts) -> Trip | None:
    """Return why the circuit breaker trips, the worst reason first; None while it holds."""
    return next((_trip(breaker, failures, kind) for kind in _kinds_above(breaker, failures)), None)


def waits_for_proof(breaker: CircuitBreaker, failures: FailureCounts) -> str | None:
    """Return why no batch is to be sent for now: young losses that would trip it, unless proven.

    None if it trips already, or if they would not.
    """
    if tripped(breaker, failures):
        return None
    share = _share(failures, failures.unknown)
    if not _enough(breaker, failures, UNKNOWN) or share <= breaker.unknown:
        return None
    return (
        f"waits for proof of lost answers, {breaker.unknown_minutes:g} minutes at most: "
        f"{share:.1%} of {failures.asked} unknown, the limit is {breaker.unknown:.1%}"
    )


def margin(breaker: CircuitBreaker, failures: FailureCounts, kind: str) -> int:
    """Return how many more of a kind there must be before the breaker can trip by it.

    More recipients only lower a share. So nobody needs to count anew until so many have come.
    """
    judged = max(failures.asked, breaker.after)
    return max(int(getattr(breaker, kind) * judged) + 1 - getattr(failures, kind), 1)


def next_look(breaker: CircuitBreaker, sent: int) -> int:
    """Return at how many recipients the breaker is to look again, once it has at `sent`."""
    return max(breaker.after, sent + sent // _LOOKS, sent + 1)


def _kinds_above(breaker: CircuitBreaker, failures: FailureCounts) -> list[str]:
    return [
        kind
        for kind in _KINDS
        if _enough(breaker, failures, kind)
        and _share(failures, _counted(failures, kind)) > getattr(breaker, kind)
    ]


def _enough(breaker: CircuitBreaker, failures: FailureCounts, kind: str) -> bool:
    """Return whether there were enough; answers are lost by whole requests, so these count too."""
    enough = failures.asked >= max(breaker.after, 1)
    return enough and (kind != UNKNOWN or failures.requests >= breaker.requests)


def _counted(failures: FailureCounts, kind: str) -> int:
    return failures.unknown - failures.young if kind == UNKNOWN else getattr(failures, kind)


def _share(failures: FailureCounts, count: int) -> float:
    return count / failures.asked if failures.asked else 0.0


def _trip(breaker: CircuitBreaker, failures: FailureCounts, kind: str) -> Trip:
    share = _share(failures, _counted(failures, kind))
    found = f"{share:.1%} of {failures.asked} {kind}, the limit is {getattr(breaker, kind):.1%}"
    refutable = "; it goes on by itself once enough of these are proven" if kind == UNKNOWN else ""
    return Trip(kind, found + refutable)
