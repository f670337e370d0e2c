"""Once a round is over, everything is counted, by SendGrid's record and by the service's own."""

from collections import Counter
from collections.abc import Iterable, Iterator

import psycopg

from newsletter.container import Container
from newsletter.core.delivery import DeliveryState
from newsletter.core.issue_totals import Sums
from newsletter.sandbox.events import LetterOutcome, outcome_of
from tests.torture.disturbances import Disturbance
from tests.torture.installation import SLUG, Installation
from tests.torture.plans import Result

_RECONCILED_BY = """
    SELECT (SELECT count(*) FROM attempt WHERE reason LIKE '%an event proved%'),
           (SELECT count(*) FROM decision WHERE verb = 'resolve' AND actor LIKE '%by events'),
           (SELECT count(*) FROM attempt WHERE reason LIKE '%Email Logs show%')
               + (SELECT count(*) FROM decision
                   WHERE verb = 'resolve' AND actor LIKE '%by Email Logs'),
           (SELECT count(*) FROM decision WHERE verb = 'resolve' AND actor = 'torture')
"""


_ALERTS = "SELECT sentence FROM operator_alert WHERE kind = 'sent twice'"
#: How each doubling came about.
_DOUBLED = """
    SELECT batch.id, attempt.number, started_at, finished_at, outcome,
           concat_ws('; ', attempt.reason,
                     (SELECT string_agg(concat_ws(' ', at, actor, detail), ', ') FROM decision
                       WHERE subject = 'batch ' || batch.id))
      FROM batch JOIN batch_attempt ON batch_attempt.batch_id = batch.id
      JOIN attempt ON attempt.id = attempt_id
     WHERE doubled > 0 ORDER BY batch.id, serial
"""
_LINE = """
    SELECT 'alive', since, seen FROM webhook_receiver
     UNION ALL SELECT CASE WHEN failed THEN 'failed' ELSE 'post' END, at, at FROM webhook_post
     ORDER BY 2
"""
#: How far each delivery has come.
_STATES = """
    SELECT email, state FROM delivery JOIN addressee USING (subscription_id)
     WHERE skipped IS NULL AND email NOT LIKE 'n%'
"""
_HIGHEST = {
    LetterOutcome.DEFERRED: (DeliveryState.DELIVERED,),
    LetterOutcome.INVALID: (DeliveryState.DROPPED,),
    LetterOutcome.BOUNCE: (DeliveryState.BOUNCED,),
    LetterOutcome.OPEN: (DeliveryState.OPENED, DeliveryState.DELIVERED),  # perhaps by a machine
    LetterOutcome.CLICK: (DeliveryState.CLICKED,),
    LetterOutcome.SPAMREPORT: (DeliveryState.COMPLAINED,),
    LetterOutcome.UNSUBSCRIBE: (DeliveryState.UNSUBSCRIBED,),
}  #: the others have the same name


def count(
    installation: Installation, url: str, disturbances: Iterable[Disturbance], result: Result
) -> None:
    """Add a round to the result."""
    stats = installation.sandbox.stats()
    with installation.container(url) as container:
        sums = sums_of(installation, container)
        reported = _reported(container, url, sums)
    missing = installation.recipients - stats["distinct_recipients"]
    result.recipients += installation.recipients
    result.lost += missing - sums.skipped  # who was skipped had asked for that, or it is wrong
    result.doubled += stats["repeated"]
    result.reported += reported
    result.requests += stats["requests"]
    result.wrong.extend(_wrongs(installation, url, sums))
    _count_evidence(url, result)
    result.doublings.extend(_doublings(url))
    for one in disturbances:
        _count_disturbance(one, result)


def sums_of(installation: Installation, container: Container) -> Sums:
    """Return the service's own sums of the issue."""
    stored = container.publishing.issue(container.settings.newsletter(SLUG), installation.on)
    return container.deliveries.totals(stored.id).sums


def _reported(container: Container, url: str, sums: Sums) -> int:
    """Return how many doubled letters the sums report, if an alert does so, too."""
    container.alerting.check()
    with psycopg.connect(url) as connection:
        said = [sentence for (sentence,) in connection.execute(_ALERTS)]
    return sums.doubled if any(one.startswith(f"{sums.doubled:,} ") for one in said) else 0


def _wrongs(installation: Installation, url: str, sums: Sums) -> Iterator[str]:
    if not sums.adds_up:
        yield f"the sums do not add up: {sums}"
    done = sums.accepted + sums.skipped
    if sums.audience != installation.recipients or done != installation.recipients:
        yield f"not everybody was accepted: {sums}"
    if installation.sandbox.config.events and (others := _misjudged(installation, url)):
        yield f"deliveries do not stand as SendGrid said: {others}"


def _misjudged(installation: Installation, url: str) -> dict[str, int]:
    """Count deliveries by how they stand, and how they should."""
    shares = installation.sandbox.config.shares
    with psycopg.connect(url) as connection:
        states = connection.execute(_STATES).fetchall()
    pairs = ((DeliveryState(state), outcome_of(email, shares)) for email, state in states)
    return Counter(f"{found.name}: {due}" for found, due in pairs if found not in _expected(due))


def _expected(outcome: LetterOutcome) -> tuple[DeliveryState, ...]:
    return _HIGHEST.get(outcome) or (DeliveryState[outcome.name],)


def _doublings(url: str) -> Iterator[str]:
    with psycopg.connect(url) as connection:
        for batch, number, started, finished, outcome, reason in connection.execute(_DOUBLED):
            yield f"batch {batch}, {number}: {started:%X.%f}-{finished:%X.%f} {outcome} {reason}"
        if connection.execute(_DOUBLED).fetchone():
            lines = connection.execute(_LINE)
            yield "; ".join(f"{what} {since:%X.%f}-{until:%X.%f}" for what, since, until in lines)


def _count_evidence(url: str, result: Result) -> None:
    with psycopg.connect(url) as connection:
        row = connection.execute(_RECONCILED_BY).fetchone()
    assert row is not None
    result.by_event += row[0]
    result.by_absence += row[1]
    result.by_logs += row[2]
    result.by_hand += row[3]


def _count_disturbance(disturbance: Disturbance, result: Result) -> None:
    result.after_unsubscribe += disturbance.after_unsubscribe()
    result.wrong.extend(disturbance.wrongs())
    for name, number in disturbance.done.items():
        result.disturbed[name] = result.disturbed.get(name, 0) + number
