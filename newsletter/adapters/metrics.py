"""Figures for Prometheus: read from the database at each scrape, so that all processes agree.

No scrape reads deliveries one by one: a batch says what its letters are. Only whether an issue's
sums add up needs them, and that is asked once for each change of a finished issue.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from newsletter.core.delivery import BatchState
from newsletter.core.issue_totals import IssueTotals
from newsletter.stores.healthcheck import WORKERS

_log = logging.getLogger(__name__)

_NEWEST = """
    SELECT DISTINCT ON (newsletter) id, newsletter, state, planned_at FROM issue
     WHERE planned_at IS NOT NULL ORDER BY newsletter, date DESC
"""

#: `asked` leaves out those that a claim, asking consent again, left out.
_BATCHES = """
    SELECT state, count(*) AS batches, sum(size) AS size,
           COALESCE(sum((SELECT recipients FROM attempt WHERE batch_id = batch.id
                          ORDER BY number DESC LIMIT 1)), 0) AS asked
      FROM batch WHERE issue_id = :issue GROUP BY state
"""

_SECONDS = """
    SELECT COALESCE(extract(epoch FROM max(COALESCE(finished_at, started_at)) - min(started_at)), 0)
      FROM attempt JOIN batch ON batch.id = batch_id WHERE issue_id = :issue
"""

#: Figures of the whole house: name, what it tells, and the question.
_HOUSE = (
    (
        "newsletter_unknown_batches",
        "Batches whose answer was lost, of every issue.",
        "SELECT count(*) FROM batch WHERE state = 'unknown'",
    ),
    (
        "newsletter_untold_notices",
        "Notices that no operator was told yet.",
        "SELECT count(*) FROM notice WHERE told_at IS NULL",
    ),
    ("newsletter_workers", "Workers with a heartbeat in the last 30 seconds.", WORKERS),
)

#: Figures of each newsletter's newest issue: name, what it tells, and labels.
_ISSUE = {
    "batches": ("newsletter_batches", "Its batches.", ("newsletter", "state")),
    "deliveries": ("newsletter_deliveries", "Its deliveries.", ("newsletter", "outcome")),
    "seconds": (
        "newsletter_sending_seconds",
        "From its first request to its last answer.",
        ("newsletter",),
    ),
    "planned": (
        "newsletter_issue_planned_timestamp_seconds",
        "When it was planned.",
        ("newsletter",),
    ),
    "sums": (
        "newsletter_issue_sums_add_up",
        "Whether its sums add up, once it is sent.",
        ("newsletter",),
    ),
}

_OUTCOMES = ("accepted", "refused", "unknown", "left_out", "to_go")


class Metrics:
    """What a scrape gets."""

    def __init__(
        self,
        engine: Engine,
        *,
        account: Callable[[int], IssueTotals],
        counts: Callable[[], Mapping[str, int]],
    ) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_DatabaseCollector(engine, account))
        self._registry.register(_Counts(counts))
        ProcessCollector(registry=self._registry)

    def __call__(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return generate_latest(self._registry)


#: What a letter to the goodbye address is taken for.
_GOODBYE_LETTERS = ("link", "address", "nothing")


class _Counts(Collector):
    """What this process has seen since it began: posts of events, and events by kind."""

    def __init__(self, counts: Callable[[], Mapping[str, int]]) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        counts = self._counts()
        yield CounterMetricFamily(
            "newsletter_webhook_refused",
            "Posts to the webhook that SendGrid did not sign.",
            value=counts.get("posts_refused", 0),
        )
        events = CounterMetricFamily(
            "newsletter_events", "New delivery events, by kind.", labels=["kind"]
        )
        for name, count in counts.items():
            family, _, kind = name.partition("_")
            if family == "events" and kind != "repeated":
                events.add_metric([kind], count)
        yield events
        letters = CounterMetricFamily(
            "newsletter_goodbye_letters",
            "Letters to the goodbye address, by what they were taken for.",
            labels=["heard"],
        )
        for heard in _GOODBYE_LETTERS:
            letters.add_metric([heard], counts.get(f"goodbye_letters_{heard}", 0))
        yield letters


class _DatabaseCollector(Collector):
    """What stands in the database: of the house, and of each newsletter's newest issue."""

    def __init__(self, engine: Engine, account: Callable[[int], IssueTotals]) -> None:
        self._snapshots = engine.execution_options(isolation_level="REPEATABLE READ")
        self._account = account
        self._checked: dict[str, tuple[object, bool]] = {}

    def describe(self) -> Iterable[Metric]:
        return ()  # unasked, the registry would scrape to learn the names

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("newsletter_database_up", "Whether the database answers.")
        try:
            with self._snapshots.begin() as connection:
                found = [*_house_figures(connection), *self._issue_figures(connection)]
        except SQLAlchemyError as error:
            _log.warning("no figures: %s", type(error).__name__, extra={"action": "metrics.failed"})
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield from (up, *found)

    def _issue_figures(self, connection: Connection) -> list[Metric]:
        figures = {
            key: GaugeMetricFamily(name, f"Of the newest issue. {telling}", labels=labels)
            for key, (name, telling, labels) in _ISSUE.items()
        }
        for issue in connection.execute(text(_NEWEST)).all():
            slug, values = issue.newsletter, {"issue": issue.id}
            rows = connection.execute(text(_BATCHES), values).all()
            counted = {row.state: row.batches for row in rows}
            for state in BatchState:
                figures["batches"].add_metric([slug, state], counted.get(state, 0))
            for outcome, letters in _outcomes(rows).items():
                figures["deliveries"].add_metric([slug, outcome], letters)
            seconds = connection.execute(text(_SECONDS), values).scalar_one()
            figures["seconds"].add_metric([slug], seconds)
            figures["planned"].add_metric([slug], issue.planned_at.timestamp())
            if issue.state == "sent":
                figures["sums"].add_metric([slug], self._adds_up(issue, counted))
        return list(figures.values())

    def _adds_up(self, issue: Any, batches: dict[str, int]) -> bool:
        """Look through all deliveries, unless nothing has changed since that was done."""
        standing = (issue.id, batches)
        known = self._checked.get(issue.newsletter)
        if known is None or known[0] != standing:
            known = (standing, self._account(issue.id).sums.add_up)
            self._checked[issue.newsletter] = known
        return known[1]


def _house_figures(connection: Connection) -> Iterator[Metric]:
    for name, telling, question in _HOUSE:
        yield GaugeMetricFamily(
            name, telling, value=connection.execute(text(question)).scalar_one()
        )


def _outcomes(rows: Iterable[Any]) -> dict[str, int]:
    """Return letters by outcome; they are as many as the issue has deliveries."""
    outcomes: dict[str, int] = dict.fromkeys(_OUTCOMES, 0)
    for row in rows:
        match row.state:
            case "planned" | "claimed":
                outcomes["to_go"] += row.size
            case "accepted" | "refused" | "unknown":
                outcomes[row.state] += row.asked
                outcomes["left_out"] += row.size - row.asked
            case _:
                outcomes["left_out"] += row.size
    return outcomes
