"""`newsletter batches`: those whose answer was lost, and a person's word on them."""

from typing import Annotated

import typer
from rich.markup import escape

from newsletter.cli.common import AsJson, actor, answer, console, house
from newsletter.core.reconciliation import (
    Means,
    Reconciliation,
    ReconciliationEvidence,
    Resolution,
    UnknownBatch,
)

app = typer.Typer(no_args_is_help=True, help="Settle batches whose answer was lost.")

_YOURS = "waits for you: `newsletter batches settle ID --as ...`"

_TOLD = {
    (
        ReconciliationEvidence.EVENTS,
        Reconciliation.WAIT,
    ): "an event may still prove it; nothing to do yet",
    (
        ReconciliationEvidence.EVENTS,
        Reconciliation.RESEND,
    ): "silent while others are heard: it will be sent again, once",
    (
        ReconciliationEvidence.LOGS,
        Reconciliation.WAIT,
    ): "SendGrid's Email Logs may still show it; nothing to do yet",
    (
        ReconciliationEvidence.LOGS,
        Reconciliation.PERSON,
    ): f"{_YOURS}, unless Email Logs tell after all",
    (ReconciliationEvidence.NONE, Reconciliation.WAIT): "its worker may still record an answer",
}


@app.command("list")
def show_all(as_json: AsJson = False) -> None:
    """List the batches whose answer was lost, and what may become of each."""
    settling = house().settling
    means = settling.means() if settling.listed() else Means(evidence=ReconciliationEvidence.NONE)
    found = settling.listed()
    data = [{**vars(one), "next": next_, "evidence": means.evidence} for one, next_ in found]
    answer(data, as_json=as_json, say=lambda: _say(found, means))


def _say(found: tuple[tuple[UnknownBatch, Reconciliation], ...], means: Means) -> None:
    for batch, settlement in found:
        console.print(
            f"batch {batch.batch_id} of issue {batch.issue_id}, {batch.size:,} recipients, "
            f"asked {batch.asked:%Y-%m-%d %H:%M:%S %Z}"
        )
        told = _TOLD.get((means.evidence, settlement), _YOURS)
        console.print(f"    {escape(batch.reason)}\n    [yellow]{told}[/]")
    if means.obstacle:
        console.print(f"No event is heard, and Email Logs do not help: {escape(means.obstacle)}")
    if not found:
        console.print("No batch is unknown.")


@app.command()
def settle(
    batch_id: Annotated[int, typer.Argument(metavar="ID", help="As `batches list` shows it.")],
    ruling: Annotated[
        Resolution,
        typer.Option(
            "--as",
            help="accepted: there is proof that SendGrid took it; resend: proof that it did not; "
            "refused: leave it unsent.",
        ),
    ],
    because: Annotated[str, typer.Option("--because", help="The evidence; kept for good.")],
    as_json: AsJson = False,
) -> None:
    """Decide about a batch whose answer was lost; it is recorded who did, and why."""
    house().settling.by_hand(batch_id, ruling, actor=actor(), because=because)
    if ruling is Resolution.RESEND:
        house().dispatch.recover()
    answer(
        {"batch_id": batch_id, "ruling": ruling},
        as_json=as_json,
        say=lambda: console.print(f"batch {batch_id} is settled: {ruling}"),
    )
