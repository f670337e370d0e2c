"""`newsletter installation`: what this database calls itself in its letters."""

from dataclasses import asdict
from typing import Annotated

import typer
from typer import Option

from newsletter.cli.common import AsJson, actor, answer, console, container

app = typer.Typer(
    no_args_is_help=True, help="Tell this installation from others on its SendGrid account."
)


@app.command()
def show(as_json: AsJson = False) -> None:
    """Show the id that travels with every letter, and the version of the tables."""
    from newsletter.stores.database import tables_version  # a help page needs no database

    found, version = container().installations.current(), tables_version(container().engine)

    def show_text() -> None:
        console.print(f"{found.id} since {found.since}")
        console.print(f"tables of version {version}")

    answer(asdict(found) | {"tables": version}, as_json=as_json, show=show_text)


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
