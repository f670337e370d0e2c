"""`newsletter backup` and `newsletter restore`: the whole database in one file, and back."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli.common import AsJson, actor, answer, console, container


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, such as today.dump.")],
    as_json: AsJson = False,
) -> None:
    """Write the whole database into one file, and check it; the service may go on meanwhile."""
    from newsletter.adapters.backup import dump  # a help page needs no database

    done = dump(container().database, file)

    def show_text() -> None:
        console.print(
            f"{done.file}: {done.bytes:,} bytes, {len(done.tables)} tables, read back to the end"
        )
        console.print("It holds every subscriber's address: keep it where only you can read it.")

    answer(done, as_json=as_json, show=show_text)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `newsletter backup` wrote.")],
    replace: Annotated[
        bool,
        typer.Option("--replace", metavar="", help="Drop what the database holds, and put it in."),
    ] = False,
    new_installation: Annotated[
        bool,
        typer.Option(
            "--new-installation",
            metavar="",
            help="Give the copy an id of its own, because the original goes on beside it.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup into an empty database, wholly or not at all."""
    from newsletter.adapters.backup import load  # a help page needs no database

    done = load(container().database, file, replace=replace)
    container().migrate(while_running=True)  # an older backup's tables; its workers are no more

    installations = container().installations
    if new_installation:
        installations.renew(because=f"restored from {done.file.name} as a copy", by=actor())
    present = installations.current()

    def show_text() -> None:
        console.print(f"{done.file}: {len(done.tables)} tables restored")
        if new_installation:
            console.print(f"this installation is {present.id} from now on")

    answer(asdict(done) | {"installation": present}, as_json=as_json, show=show_text)
