"""The main help page: every command with its first sentence, imported when it is run.

A help page that imported all of them would take three times as long.
"""

from collections.abc import Callable
from typing import Any

from newsletter.cli.lazy import ListedCommand

Load = Callable[[], Any]

COMMANDS: dict[str, ListedCommand] = {}  #: by name, in the order of the help page
_START, _DAY, _RUN = "Start here", "The day", "Run it"


def listed(panel: str) -> Callable[[Load], Load]:
    """List the function's name, with its docstring as the sentence; it imports the command."""

    def add(load: Load) -> Load:
        COMMANDS[load.__name__] = ListedCommand(panel, load.__doc__ or "", load)
        return load

    return add


@listed(_START)
def demo() -> Any:
    """Run a whole day on sample data; nothing leaves this machine."""
    from newsletter.cli.demo import demo as command

    return command


@listed(_START)
def init() -> Any:
    """Write a folder of settings for a new installation, and say what is still to be filled in."""
    from newsletter.cli.init import init as command

    return command


@listed(_START)
def check() -> Any:
    """Check whether letters can be sent."""
    from newsletter.cli.check import check as command

    return command


@listed(_START)
def doctor() -> Any:
    """Find out whether everything that sends real letters is in order, and what to do if not."""
    from newsletter.cli.doctor import doctor as command

    return command


@listed(_DAY)
def briefs() -> Any:
    """Receive briefs and decide about them."""
    from newsletter.cli.briefs import app

    return app


@listed(_DAY)
def sources() -> Any:
    """Poll feeds and WordPress sites for briefs."""
    from newsletter.cli.sources import app

    return app


@listed(_DAY)
def subscribers() -> Any:
    """Manage subscribers and lists."""
    from newsletter.cli.subscribers import app

    return app


@listed(_DAY)
def bulk() -> Any:
    """Do the same to many subscribers: a file of addresses, or a segment."""
    from newsletter.cli.bulk import app

    return app


@listed(_DAY)
def segments() -> Any:
    """Save segments, and count who is in them."""
    from newsletter.cli.segments import app

    return app


@listed(_DAY)
def signup() -> Any:
    """Help people subscribe."""
    from newsletter.cli.signup import app

    return app


@listed(_DAY)
def suppressions() -> Any:
    """Manage the suppression list."""
    from newsletter.cli.suppressions import app

    return app


@listed(_DAY)
def issue() -> Any:
    """Assemble, preview, approve and send an issue."""
    from newsletter.cli.issue import app

    return app


@listed(_DAY)
def batches() -> Any:
    """Resolve batches with an unknown outcome."""
    from newsletter.cli.batches import app

    return app


@listed(_DAY)
def why() -> Any:
    """Explain what happened to a person's letter, or why there was none."""
    from newsletter.cli.why import why as command

    return command


@listed(_RUN)
def serve() -> Any:
    """Run everything in one process: web, console, worker and scheduler."""
    from newsletter.cli.processes import serve as command

    return command


@listed(_RUN)
def scheduler() -> Any:
    """Run the scheduler only; if several run, one acts and the others stand by."""
    from newsletter.cli.processes import scheduler as command

    return command


@listed(_RUN)
def worker() -> Any:
    """Send batches; run as many workers as you like, on any machine."""
    from newsletter.cli.processes import worker as command

    return command


@listed(_RUN)
def backup() -> Any:
    """Write the whole database into one file, and check it; the service may go on meanwhile."""
    from newsletter.cli.backup import backup as command

    return command


@listed(_RUN)
def restore() -> Any:
    """Put a backup into an empty database, wholly or not at all."""
    from newsletter.cli.backup import restore as command

    return command


@listed(_RUN)
def migrate() -> Any:
    """Bring the tables of an older version up to date, wholly or not at all."""
    from newsletter.cli.migrate import migrate as command

    return command


@listed(_RUN)
def sandbox() -> Any:
    """Run the sandbox: a local SendGrid, with an inbox to look at."""
    from newsletter.cli.sandbox import sandbox as command

    return command


@listed(_RUN)
def alerts() -> Any:
    """Test the channels that alert operators."""
    from newsletter.cli.alerts import app

    return app


@listed(_RUN)
def webhooks() -> Any:
    """Post what happens here to other programs."""
    from newsletter.cli.webhooks import app

    return app


@listed(_RUN)
def staff() -> Any:
    """Invite people to the console, and remove them."""
    from newsletter.cli.staff import app

    return app


@listed(_RUN)
def tokens() -> Any:
    """Make tokens for the JSON API, and revoke them."""
    from newsletter.cli.tokens import app

    return app


@listed(_RUN)
def installation() -> Any:
    """Tell this installation from others on its SendGrid account."""
    from newsletter.cli.installation import app

    return app
