"""`newsletter migrate`: the tables of an older version, brought up to date."""

from typing import Annotated

from typer import Option

from newsletter.cli.common import AsJson, answer, console, container


def migrate(
    while_running: Annotated[
        bool, Option("--while-running", metavar="", help="Although workers run: they may fail.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the tables of an older version up to date, wholly or not at all.

    Stop the processes and make a backup first: there is no way back but the backup.
    """
    done = container().migrate(while_running=while_running)

    def show_text() -> None:
        if done.before == done.now:
            console.print(f"the tables are of version {done.now}: nothing to do")
        else:
            console.print(f"tables: {done.before or 'none'}, now {done.now}")

    answer(done._asdict(), as_json=as_json, show=show_text)
