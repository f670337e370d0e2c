"""`newsletter installation`: what this database calls itself in its letters."""

from typing import Annotated

import typer
from typer import Option

from newsletter.cli.common import AsJson, actor, answer, console, container

app = typer.Typer(
    no_args_is_help=True, help="Tell this installation from others on its SendGrid account."
)


@app.command()
def show(as_json: AsJson = False) -> None:
    """Show the id that travels with every letter, by which its events are recognized."""
    found = container().installations.current()
    answer(found, as_json=as_json, show=lambda: console.print(f"{found.id} since {found.since}"))


@app.command()
def renew(
    because: Annotated[str, Option("--because", help="The reason; recorded for good.")],
    as_json: AsJson = False,
) -> None:
    """Give a copy of a database an id of its own; events of earlier letters act no more."""
    found = container().installations.renew(because=because, by=actor())
    answer(
        found,
        as_json=as_json,
        show=lambda: console.print(f"this installation is {found.id} from now on"),
    )
