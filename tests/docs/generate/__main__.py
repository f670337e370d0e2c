"""Writes the generated pages of the documentation: `python -m tests.docs.generate DIR`."""

import sys
from pathlib import Path

import typer.main

from newsletter.cli.app import app
from tests.docs.generate.pages import pages


def write(folder: Path) -> None:
    """Write the reference pages of commands, settings, HTTP paths and metrics."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages(typer.main.get_command(app)).items():
        (folder / name).write_text(text, encoding="utf-8")
        print(folder / name)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
