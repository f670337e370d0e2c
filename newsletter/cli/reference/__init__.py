"""`newsletter reference`: writes the generated pages of the documentation; `make docs` runs it."""

from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli.common import console


def reference(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the pages are written.")],
) -> None:
    """Write the reference pages of commands, settings, HTTP paths and metrics."""
    # Imported here, so that a help page opens without the web framework.
    from newsletter.cli.reference.pages import pages

    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages(context.find_root().command).items():
        (folder / name).write_text(text, encoding="utf-8")
        console.print(str(folder / name))
