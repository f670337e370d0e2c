"""`newsletter sandbox`: a local SendGrid."""

import os
import shlex
import threading
from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from newsletter.cli.common import console
from newsletter.cli.processes import taken


def sandbox(
    port: Annotated[
        int, Option(metavar="PORT", min=0, max=65535, help="0 chooses a free one.")
    ] = 4010,
    data: Annotated[
        Path | None,
        Option(metavar="DIR", help="Where to store letters; in NEWSLETTER_VAR by default."),
    ] = None,
    account: Annotated[
        Path | None,
        Option(metavar="FILE", help="JSON with what the account says of itself; see Go live."),
    ] = None,
    webhook: Annotated[
        str | None, Option(metavar="URL", help="Where to post signed events.")
    ] = None,
) -> None:
    """Run the sandbox: a local SendGrid, with an inbox to look at."""
    from newsletter.sandbox.config import SandboxConfig
    from newsletter.sandbox.server import run
    from newsletter.settings import load_settings

    folder = data or load_settings().environment.var / "sandbox"
    config = SandboxConfig(data=folder, port=port, webhook_url=webhook, account=account)
    reading, writing = os.pipe()  # the sandbox writes its URL there once it is ready
    threading.Thread(target=_announce, args=(reading, folder), daemon=True).start()
    try:
        run(config, Path(f"/dev/fd/{writing}"))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="'--account'") from None
    except OSError as error:
        raise taken(config.host, port, error) from None
    finally:
        os.close(writing)


def _announce(reading: int, folder: Path) -> None:
    with os.fdopen(reading, encoding="ascii") as pipe:
        url = pipe.readline().strip()
    if url:
        console.print(f"sandbox on {url}, inbox on {url}/inbox; Ctrl-C stops it")
        console.print(f"to send to it: NEWSLETTER_SENDGRID_HOST={url} SENDGRID_API_KEY=SG.sandbox")
        key = folder.absolute() / "public_key.txt"
        console.print(
            f'to believe its events: SENDGRID_WEBHOOK_KEY="$(cat {shlex.quote(str(key))})"'
        )
