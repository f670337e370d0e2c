"""`newsletter batches`: batches with an unknown outcome, and how to resolve them."""

from typing import Annotated

import typer
from rich.markup import escape
from typer import Argument, Option

from newsletter.cli.common import AsJson, actor, answer, console, container
from newsletter.core.reconciliation import (
    Judgement,
    Reconciliation,
    ReconciliationEvidence,
    ReconciliationMeans,
    Resolution,
    UnknownBatch,
)

app = typer.Typer(no_args_is_help=True, help="Resolve batches with an unknown outcome.")

_YOURS = "waiting for you: `newsletter batches resolve ID --as ...`"

_EVENTS, _LOGS = ReconciliationEvidence.EVENTS, ReconciliationEvidence.LOGS
_NOTHING = ReconciliationEvidence.NONE
_NEXT = {
    (_EVENTS, Reconciliation.WAIT): "an event may still prove it; nothing to do yet",
    (_EVENTS, Reconciliation.RESEND): "no event came, but others did: it will be sent again, once",
    (_EVENTS, Reconciliation.HELD): (
        "{why}: it is sent again by itself from {until:%Y-%m-%d %H:%M %Z} on at the earliest, if "
        "events come throughout; you may decide sooner: `newsletter batches resolve ID --as ...`"
    ),
    (_LOGS, Reconciliation.WAIT): "SendGrid's Email Logs may still prove it; nothing to do yet",
    (_LOGS, Reconciliation.PERSON): f"{_YOURS}, unless Email Logs still prove it",
    (_NOTHING, Reconciliation.WAIT): "its worker may still record an answer",
}


@app.command("list")
def show_all(as_json: AsJson = False) -> None:
    """List the batches with an unknown outcome, and what happens to each next."""
    reconciling = container().reconciling
    is_any = bool(reconciling.unknown_batches())
    # Before the list, since what comes next depends on whether Email Logs can be read.
    means = reconciling.means() if is_any else ReconciliationMeans(evidence=_NOTHING)
    found = reconciling.judgements()
    data = [
        {
            **vars(one),
            "next": judgement.reconciliation,
            "why": judgement.why,
            "until": judgement.until,
            "evidence": means.evidence,
        }
        for one, judgement in found
    ]
    answer(data, as_json=as_json, show=lambda: _print(found, means))


def _print(found: tuple[tuple[UnknownBatch, Judgement], ...], means: ReconciliationMeans) -> None:
    for batch, judgement in found:
        text = _NEXT.get((means.evidence, judgement.reconciliation), _YOURS)
        if judgement.reconciliation is Reconciliation.HELD:
            text = text.format(why=judgement.why, until=judgement.until)
        elif judgement.why:
            text = f"{judgement.why}; {text}"
        console.print(
            f"batch {batch.batch_id} of issue {batch.issue_id}, {batch.size:,} recipients, "
            f"requested {batch.asked:%Y-%m-%d %H:%M:%S %Z}\n"
            f"    {escape(batch.reason)}\n    [yellow]{text}[/]"
        )
    if obstacle := means.obstacle:
        console.print(f"No events are received, and Email Logs are of no help: {escape(obstacle)}")
    if not found:
        console.print("No batch has an unknown outcome.")


@app.command()
def resolve(
    batch_id: Annotated[int, Argument(metavar="ID", help="As `batches list` shows it.")],
    resolution: Annotated[
        Resolution,
        Option(
            "--as",
            help="accepted: SendGrid provably accepted it; resend: it provably did not; "
            "refused: do not send it.",
        ),
    ],
    because: Annotated[str, Option("--because", help="The evidence; it is recorded permanently.")],
    as_json: AsJson = False,
) -> None:
    """Resolve a batch with an unknown outcome; who did so and why is recorded."""
    container().reconciling.resolve(batch_id, resolution, actor=actor(), because=because)
    if resolution is Resolution.RESEND:
        container().recovery.recover()
    answer(
        {"batch_id": batch_id, "resolution": resolution},
        as_json=as_json,
        show=lambda: console.print(f"batch {batch_id} is resolved: {resolution}"),
    )
