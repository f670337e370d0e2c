"""`newsletter backup` and `newsletter restore`: the whole database in one file, and back."""

from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli.common import AsJson, answer, console, house, plain


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, such as today.dump.")],
    as_json: AsJson = False,
) -> None:
    """Write the whole database into one file, and check it; the service may go on meanwhile."""
    # Imported here: a help page needs no database.
    from newsletter.adapters.backup import dump  # noqa: PLC0415

    done = dump(house().database, file)

    def say() -> None:
        console.print(
            f"{done.file}: {done.bytes:,} bytes, {len(done.tables)} tables, read back to the end"
        )
        console.print("It holds every subscriber's address: keep it where only you can read it.")

    answer(plain(done), as_json=as_json, say=say)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `newsletter backup` wrote.")],
    replace: Annotated[
        bool,
        typer.Option("--replace", metavar="", help="Drop what the database holds, and put it in."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup into an empty database, wholly or not at all."""
    # Imported here: a help page needs no database.
    from newsletter.adapters.backup import load  # noqa: PLC0415

    done = load(house().database, file, replace=replace)
    with house().engine.connect():  # an older backup's tables are brought up to date
        pass

    def say() -> None:
        console.print(f"{done.file}: {len(done.tables)} tables restored")

    answer(plain(done), as_json=as_json, say=say)
