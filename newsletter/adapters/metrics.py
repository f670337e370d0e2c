"""Figures for Prometheus: read from the database at each scrape, so that all processes agree.

No scrape reads deliveries one by one: a batch says what its letters are. Only whether an issue's
sums add up needs them, and that is asked once for each change of a finished issue.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from psycopg import Error
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from newsletter.core.delivery import BatchState
from newsletter.core.issue_totals import IssueTotals
from newsletter.stores.healthcheck import WORKERS
from subscribers.db.transaction import rows, scalar, transaction

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
      FROM batch WHERE issue_id = %(issue)s GROUP BY state
"""

_SECONDS = """
    SELECT COALESCE(extract(epoch FROM max(COALESCE(finished_at, started_at)) - min(started_at)), 0)
      FROM attempt JOIN batch ON batch.id = batch_id WHERE issue_id = %(issue)s
"""

_UP = ("newsletter_database_up", "Whether the database answers.")
_OF_NEWEST = "Of the newest issue. {}"

#: Figures of the whole installation: name, what it says, and the question.
_INSTALLATION = (
    (
        "newsletter_unknown_batches",
        "Batches whose answer was lost, of every issue.",
        "SELECT count(*) FROM batch WHERE state = 'unknown'",
    ),
    (
        "newsletter_unsent_alerts",
        "Alerts that no operator got yet.",
        "SELECT count(*) FROM operator_alert WHERE sent_at IS NULL",
    ),
    ("newsletter_workers", "Workers with a heartbeat in the last 30 seconds.", WORKERS),
)

#: Figures of each newsletter's newest issue: name, what it says, and labels.
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

#: What this process has counted since it began: name, what it says, and labels.
_PROCESS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "refused": (
        "newsletter_webhook_refused",
        "Posts to the webhook that SendGrid did not sign.",
        (),
    ),
    "events": ("newsletter_events", "New delivery events, by kind.", ("kind",)),
    "mails": (
        "newsletter_unsubscribe_mails",
        "Mails to the unsubscribe address, by what they were taken for.",
        ("result",),
    ),
}

_OUTCOMES = ("accepted", "refused", "unknown", "left_out", "to_go")


class MetricFamily(NamedTuple):
    """A family of figures, as the reference describes it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help_text: str


def metric_families() -> Iterator[MetricFamily]:
    """Yield all families but the usual ones of a process."""
    yield MetricFamily(_UP[0], "gauge", (), _UP[1])
    for name, help_text, _ in _INSTALLATION:
        yield MetricFamily(name, "gauge", (), help_text)
    for name, help_text, labels in _ISSUE.values():
        yield MetricFamily(name, "gauge", labels, _OF_NEWEST.format(help_text))
    for name, help_text, labels in _PROCESS.values():
        yield MetricFamily(f"{name}_total", "counter", labels, help_text)


class Metrics:
    """What a scrape gets."""

    def __init__(
        self,
        engine: Engine,
        *,
        totals: Callable[[int], IssueTotals],
        counts: Callable[[], Mapping[str, int]],
    ) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_DatabaseCollector(engine, totals))
        self._registry.register(_Counts(counts))
        ProcessCollector(registry=self._registry)

    def __call__(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return generate_latest(self._registry)


#: What a mail to the unsubscribe address is taken for.
_UNSUBSCRIBE_MAILS = ("link", "address", "nothing")


class _Counts(Collector):
    """What this process has seen since it began: posts of events, and events by kind."""

    def __init__(self, counts: Callable[[], Mapping[str, int]]) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        counts = self._counts()
        families = {
            key: CounterMetricFamily(name, help_text, labels=labels)
            for key, (name, help_text, labels) in _PROCESS.items()
        }
        families["refused"].add_metric([], counts.get("posts_refused", 0))
        for name, count in counts.items():
            family, _, kind = name.partition("_")
            if family == "events" and kind != "repeated":
                families["events"].add_metric([kind], count)
        for result in _UNSUBSCRIBE_MAILS:
            families["mails"].add_metric([result], counts.get(f"unsubscribe_mails_{result}", 0))
        yield from families.values()


class _DatabaseCollector(Collector):
    """Reads figures of the installation, and of each newsletter's newest issue."""

    def __init__(self, engine: Engine, totals: Callable[[int], IssueTotals]) -> None:
        self._engine = engine
        self._totals = totals
        self._checked: dict[str, tuple[object, bool]] = {}

    def describe(self) -> Iterable[Metric]:
        return ()  # unasked, the registry would scrape to learn the names

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily(*_UP)
        try:
            with transaction(self._engine, snapshot=True) as session:
                found = [*_installation_figures(session), *self._issue_figures(session)]
        except (SQLAlchemyError, Error) as error:
            _log.warning("no figures: %s", type(error).__name__, extra={"action": "metrics.failed"})
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield from (up, *found)

    def _issue_figures(self, session: Session) -> list[Metric]:
        figures = {
            key: GaugeMetricFamily(name, _OF_NEWEST.format(text), labels=labels)
            for key, (name, text, labels) in _ISSUE.items()
        }
        for issue in rows(session, _NEWEST):
            slug, values = issue["newsletter"], {"issue": issue["id"]}
            batches = rows(session, _BATCHES, values)
            counted = {row["state"]: row["batches"] for row in batches}
            for state in BatchState:
                figures["batches"].add_metric([slug, state], counted.get(state, 0))
            for outcome, letters in _outcomes(batches).items():
                figures["deliveries"].add_metric([slug, outcome], letters)
            figures["seconds"].add_metric([slug], scalar(session, _SECONDS, values))
            figures["planned"].add_metric([slug], issue["planned_at"].timestamp())
            if issue["state"] == "sent":
                figures["sums"].add_metric([slug], self._adds_up(slug, issue["id"], counted))
        return list(figures.values())

    def _adds_up(self, slug: str, issue_id: int, batches: dict[str, int]) -> bool:
        """Look through all deliveries, unless nothing has changed since that was done."""
        status = (issue_id, batches)
        known = self._checked.get(slug)
        if known is None or known[0] != status:
            known = self._checked[slug] = (status, self._totals(issue_id).sums.adds_up)
        return known[1]


def _installation_figures(session: Session) -> Iterator[Metric]:
    for name, text, question in _INSTALLATION:
        yield GaugeMetricFamily(name, text, value=scalar(session, question))


def _outcomes(batches: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Return letters by outcome; they are as many as the issue has deliveries."""
    outcomes: dict[str, int] = dict.fromkeys(_OUTCOMES, 0)
    for row in batches:
        match row["state"]:
            case "planned" | "claimed":
                outcomes["to_go"] += row["size"]
            case "accepted" | "refused" | "unknown":
                outcomes[row["state"]] += row["asked"]
                outcomes["left_out"] += row["size"] - row["asked"]
            case _:
                outcomes["left_out"] += row["size"]
    return outcomes
