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
from newsletter.core.events import Origin
from newsletter.core.issue_totals import Sums
from newsletter.core.transactional import TransactionalKind, TransactionalStatus
from newsletter.stores.healthcheck import WORKERS
from subscribers.db.transaction import rows, scalar, transaction
from subscribers.errors import DatabaseBusy

Audit = Callable[[int], Sums]
Counts = Callable[[], Mapping[str, int]]

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


class MetricFamily(NamedTuple):
    """A family of figures, as the reference describes it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help_text: str


def _gauge(name: str, help_text: str, *labels: str) -> MetricFamily:
    return MetricFamily(f"newsletter_{name}", "gauge", labels, help_text)


def _counter(name: str, help_text: str, *labels: str) -> MetricFamily:
    return MetricFamily(f"newsletter_{name}_total", "counter", labels, help_text)


def _of_newest(name: str, help_text: str, *labels: str) -> MetricFamily:
    return _gauge(name, f"Of the newest issue. {help_text}", "newsletter", *labels)


_UP = _gauge("database_up", "Whether the database answers.")

#: Figures of the whole installation, each by the question to the database.
_INSTALLATION = {
    "SELECT count(*) FROM batch WHERE state = 'unknown'": _gauge(
        "unknown_batches", "Batches whose answer was lost, of every issue."
    ),
    "SELECT COALESCE(sum(doubled), 0) FROM batch WHERE doubled > 0": _gauge(
        "doubled_deliveries", "Letters that were provably sent twice, of every issue."
    ),
    "SELECT count(*) FROM operator_alert WHERE sent_at IS NULL": _gauge(
        "unsent_alerts", "Alerts that no operator got yet."
    ),
    WORKERS: _gauge("workers", "Workers with a heartbeat in the last 30 seconds."),
}

#: Emails to single readers that wait, by kind, and those of a day, by what became of them.
_WAITING = """
    SELECT kind, count(*) AS emails,
           greatest(extract(epoch FROM now() - min(created_at)), 0) AS oldest
      FROM transactional_email WHERE state = 'waiting' GROUP BY kind
"""
_OF_A_DAY = """
    SELECT state, count(*) AS emails FROM transactional_email
     WHERE created_at > now() - interval '24 h' GROUP BY state
"""

_TRANSACTIONAL = {
    "waiting": _gauge("transactional_waiting", "Transactional emails that wait.", "kind"),
    "oldest": _gauge(
        "transactional_oldest_waiting_seconds", "For how long the oldest of them waits.", "kind"
    ),
    "emails": _gauge(
        "transactional_emails", "Transactional emails queued in the last 24 hours.", "state"
    ),
}

#: Figures of each newsletter's newest issue.
_ISSUE = {
    "batches": _of_newest("batches", "Its batches.", "state"),
    "deliveries": _of_newest("deliveries", "Its deliveries.", "outcome"),
    "seconds": _of_newest("sending_seconds", "From its first request to its last answer."),
    "planned": _of_newest("issue_planned_timestamp_seconds", "When it was planned."),
    "sums": _of_newest("issue_sums_add_up", "Whether its sums add up, with nothing to go."),
}

#: What this process has counted since it began.
_PROCESS = {
    "refused": _counter("webhook_refused", "Posts to the webhook that SendGrid did not sign."),
    "events": _counter("events", "New delivery events, by kind.", "kind"),
    "foreign": _counter(
        "foreign_events",
        "New events of letters that are not this installation's, by origin; they move no delivery.",
        "origin",
    ),
    "mails": _counter(
        "unsubscribe_mails",
        "Mails to the unsubscribe address, by what they were taken for.",
        "result",
    ),
}

_SENT = frozenset({"sending", "sent"})
_TO_GO = frozenset({"planned", "claimed"})  #: batches
_OUTCOMES = ("accepted", "refused", "unknown", "left_out", "to_go")


def metric_families() -> Iterator[MetricFamily]:
    """Yield all families but the usual ones of a process."""
    yield _UP
    for families in (_INSTALLATION, _TRANSACTIONAL, _ISSUE, _PROCESS):
        yield from families.values()


class Metrics:
    """What a scrape gets."""

    def __init__(self, engine: Engine, *, audit: Audit, counts: Counts) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_DatabaseCollector(engine, audit))
        self._registry.register(_ProcessCollector(counts))
        ProcessCollector(registry=self._registry)

    def __call__(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return generate_latest(self._registry)


#: What a mail to the unsubscribe address is taken for.
_UNSUBSCRIBE_MAILS = ("link", "address", "nothing")


class _ProcessCollector(Collector):
    """What this process has seen since it began: posts of events, and events by kind."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        counts = self._counts()
        families = {
            key: CounterMetricFamily(one.name, one.help_text, labels=one.labels)
            for key, one in _PROCESS.items()
        }
        families["refused"].add_metric([], counts.get("posts_refused", 0))
        for name, count in counts.items():
            family, _, kind = name.partition("_")
            if family == "events" and kind != "repeated":
                families["events"].add_metric([kind], count)
        for origin in filter(lambda one: one.is_foreign, Origin):
            families["foreign"].add_metric([origin], counts.get(f"foreign_events_{origin}", 0))
        for result in _UNSUBSCRIBE_MAILS:
            families["mails"].add_metric([result], counts.get(f"unsubscribe_mails_{result}", 0))
        yield from families.values()


class _DatabaseCollector(Collector):
    """Reads figures of the installation, and of each newsletter's newest issue."""

    def __init__(self, engine: Engine, audit: Audit) -> None:
        self._engine, self._audit = engine, audit
        self._checked: dict[str, tuple[object, bool]] = {}

    def describe(self) -> Iterable[Metric]:
        return ()  # unasked, the registry would scrape to learn the names

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily(_UP.name, _UP.help_text)
        try:
            with transaction(self._engine, snapshot=True) as session:
                found = [*_installation_figures(session), *_transactional_figures(session)]
                found += self._issue_figures(session)
        except (SQLAlchemyError, Error, DatabaseBusy) as error:
            _log.warning("no figures: %s", type(error).__name__, extra={"action": "metrics.failed"})
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield from (up, *found)

    def _issue_figures(self, session: Session) -> list[Metric]:
        figures = _gauges(_ISSUE)
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
            if issue["state"] in _SENT and not counted.keys() & _TO_GO:
                figures["sums"].add_metric([slug], self._adds_up(slug, issue["id"], counted))
        return list(figures.values())

    def _adds_up(self, slug: str, issue_id: int, batches: dict[str, int]) -> bool:
        """Look through all deliveries, unless nothing has changed since that was done."""
        status = (issue_id, batches)
        known = self._checked.get(slug)
        if known is None or known[0] != status:
            known = self._checked[slug] = (status, self._audit(issue_id).adds_up)
        return known[1]


def _installation_figures(session: Session) -> Iterator[Metric]:
    for question, family in _INSTALLATION.items():
        value = scalar(session, question)
        yield GaugeMetricFamily(family.name, family.help_text, value=value)


def _transactional_figures(session: Session) -> Iterable[Metric]:
    figures = _gauges(_TRANSACTIONAL)
    waiting = {row["kind"]: row for row in rows(session, _WAITING)}
    for kind in TransactionalKind:
        found = waiting.get(kind, {"emails": 0, "oldest": 0})
        figures["waiting"].add_metric([kind], found["emails"])
        figures["oldest"].add_metric([kind], found["oldest"])
    counted = {row["state"]: row["emails"] for row in rows(session, _OF_A_DAY)}
    for state in TransactionalStatus:
        figures["emails"].add_metric([state], counted.get(state, 0))
    return figures.values()


def _gauges(families: Mapping[str, MetricFamily]) -> dict[str, GaugeMetricFamily]:
    return {
        key: GaugeMetricFamily(one.name, one.help_text, labels=one.labels)
        for key, one in families.items()
    }


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
