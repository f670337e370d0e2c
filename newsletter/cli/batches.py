"""`newsletter batches`: those whose answer was lost, and a person's word on them."""

from typing import Annotated

import typer
from rich.markup import escape

from newsletter.cli.desk import AsJson, actor, answer, console, house
from newsletter.core.settlement import Ruling, Settlement, UnknownBatch

app = typer.Typer(no_args_is_help=True, help="Settle batches whose answer was lost.")

_TOLD = {
    Settlement.WAIT: "an event may still prove it; nothing to do yet",
    Settlement.RESEND: "silent while others are heard: it will be sent again, once",
    Settlement.PERSON: "waits for you: `newsletter batches settle ID --as ...`",
}


@app.command("list")
def show_all(as_json: AsJson = False) -> None:
    """List the batches whose answer was lost, and what may become of each."""
    found = house().settling.listed()
    data = [{**vars(batch), "next": settlement} for batch, settlement in found]
    answer(data, as_json=as_json, say=lambda: _say(found))


def _say(found: tuple[tuple[UnknownBatch, Settlement], ...]) -> None:
    for batch, settlement in found:
        console.print(
            f"batch {batch.batch_id} of issue {batch.issue_id}, {batch.size:,} recipients, "
            f"asked {batch.asked:%Y-%m-%d %H:%M:%S %Z}"
        )
        console.print(f"    {escape(batch.reason)}\n    [yellow]{_TOLD[settlement]}[/]")
    if not found:
        console.print("No batch is unknown.")


@app.command()
def settle(
    batch_id: Annotated[int, typer.Argument(metavar="ID", help="As `batches list` shows it.")],
    ruling: Annotated[
        Ruling,
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
    if ruling is Ruling.RESEND:
        house().dispatch.recover()
    answer(
        {"batch_id": batch_id, "ruling": ruling},
        as_json=as_json,
        say=lambda: console.print(f"batch {batch_id} is settled: {ruling}"),
    )
