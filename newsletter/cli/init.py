"""`newsletter init`: a folder of settings for a new installation."""

import re
import shlex
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape
from typer import Argument, BadParameter, Option

from newsletter.cli.common import AsJson, answer, console
from newsletter.cli.given_options import given

if TYPE_CHECKING:
    from newsletter.settings import Settings
    from newsletter.settings.new_folder import NewInstallation


Check = Callable[[str], str]


def _line(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise BadParameter("one line of text, please")
    return text.strip()


def _address(text: str) -> str:
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(text.strip(), check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise BadParameter(f"{text!r} is not an address: {error}") from None


def _url(text: str) -> str:
    url = text.strip().rstrip("/")
    with suppress(ValueError):  # of a port that is none
        if re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", url) and urlsplit(url).port != 0:
            return url
    raise BadParameter(f"{text!r} is not a URL like https://news.your-domain")


def _zone(text: str) -> str:
    try:
        return ZoneInfo(text.strip()).key
    except (KeyError, ValueError, OSError):
        raise BadParameter(f"{text!r} is not an IANA time zone like Europe/Berlin") from None


def _slug(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", text):
        raise BadParameter(f"{text!r}: small letters, digits and hyphens only")
    return text


def _said(help_text: str, check: Check) -> Any:
    """Return the option for an answer that may be given beforehand."""

    def checked(value: str | None) -> str | None:
        return None if value is None else check(value)

    return Option(help=help_text, callback=checked, show_default=False)


@dataclass(frozen=True, kw_only=True)
class InstallationAsked:
    """What may be said beforehand of a new installation; a person is asked for the rest."""

    name: Annotated[str | None, _said("The newsletter's name.", _line)] = None
    slug: Annotated[
        str | None, _said("Its name in addresses; by default made of --name.", _slug)
    ] = None
    pillar: Annotated[str | None, _said("Briefs of this pillar belong here.", _line)] = None
    tagline: Annotated[str | None, _said("A line under the name.", _line)] = None
    from_address: Annotated[
        str | None, _said("The sender, at a domain authenticated at SendGrid.", _address)
    ] = None
    reply_to: Annotated[
        str | None, _said("Where answers go; by default to the sender.", _address)
    ] = None
    postal_address: Annotated[str | None, _said("One line, for every footer.", _line)] = None
    public_url: Annotated[str | None, _said("The readers' pages: https, behind a proxy.", _url)] = (
        None
    )
    console_url: Annotated[
        str | None, _said("The console, a host of its own; by default local only.", _url)
    ] = None
    timezone: Annotated[str | None, _said("The timetable's IANA time zone.", _zone)] = None
    as_json: AsJson = False

    def answers(self) -> "NewInstallation":
        """Return what the settings are to say."""
        from newsletter.settings.new_folder import NewInstallation

        ask = _ask if sys.stdin.isatty() and not self.as_json else _take_default
        name = ask("Name of the newsletter", self.name, "Technology Daily", _line)
        return NewInstallation(
            name=name,
            slug=self.slug or _slug_of(name),
            pillar=ask("Pillar whose briefs it prints", self.pillar, "Technology", _line),
            tagline=ask("Line under the name", self.tagline, "Verified briefs, once a day.", _line),
            zone=ask("Time zone", self.timezone, "UTC", _zone),
            from_address=(sender := ask("From address", self.from_address, "", _address)) or None,
            reply_to=ask("Reply to", self.reply_to, sender, _address) or None,
            postal_address=ask("Postal address, in one line", self.postal_address, "", _line)
            or None,
            public_url=ask("URL of the readers' pages", self.public_url, "", _url) or None,
            console_url=ask("URL of the console", self.console_url, "", _url) or None,
        )


@given(InstallationAsked)
def init(
    asked: InstallationAsked,
    folder: Annotated[Path, Argument(help="Folder to make; it must not exist, or be empty.")],
) -> None:
    """Write a folder of settings for a new installation, and say what is still to be filled in.

    What no option says is asked for at a terminal. Nothing is ever overwritten.
    """
    from newsletter.settings.new_folder import require_new, write_folder

    require_new(folder)
    write_folder(folder, asked.answers())
    _report(folder, as_json=asked.as_json)


def _take_default(question: str, given: str | None, default: str, check: Check) -> str:
    del question, check
    return default if given is None else given


def _ask(question: str, given: str | None, default: str, check: Check) -> str:
    """Return what was given, or ask until the answer makes sense; Enter takes the default."""
    if given is not None:
        return given

    def checked(text: str) -> str:
        return text and check(text)

    shown = question if default else f"{question} (Enter: later)"
    return typer.prompt(shown, default=default, show_default=bool(default), value_proc=checked)


def _slug_of(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    found = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if not found:
        raise BadParameter(
            f"{name!r} makes no name for addresses: say --slug", param_hint="'--slug'"
        )
    return found


def _report(folder: Path, *, as_json: bool) -> None:
    from newsletter.settings import load_settings
    from newsletter.settings.new_folder import ENVIRONMENT

    environment, settings = folder / ENVIRONMENT, load_settings(folder)
    missing = [*_missing(settings), *_missing_secrets(environment)]
    trusted = ", ".join(settings.service.web.trusted_proxies)
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())

    def show_text() -> None:
        console.print(f"{escape(str(folder))}: {', '.join(map(str, files))}")
        console.print("To be filled in:" if missing else "Nothing is missing.")
        for one in missing:
            console.print(f"  - {escape(one)}")
        console.print("The six topics and the timetable are examples: change them as you like.")
        if trusted:
            console.print(f"A proxy on this machine is believed (web.trusted_proxies): {trusted}.")
        command = f"set -a; . {shlex.quote(str(environment))}; set +a; newsletter check"
        console.print(f"Then:  {escape(command)}")

    data = {"folder": folder, "files": files, "missing": missing}
    answer(data, as_json=as_json, show=show_text)


def _missing(settings: "Settings") -> Iterator[str]:
    """Yield what `newsletter check` will say of the folder, with the file that says it."""
    from newsletter.core.newsletter_checks import obstacles

    url, host = settings.service.public_url, settings.service.sendgrid.host
    for newsletter in settings.newsletters.values():
        if newsletter.week_of is None:
            for fault in obstacles(newsletter, public_url=url, sendgrid_host=host):
                ours = f"newsletters/{newsletter.slug}.toml"
                yield f"{'service.toml' if fault.startswith('public_url') else ours}: {fault}"


def _missing_secrets(environment: Path) -> Iterator[str]:
    wanted = {
        "SENDGRID_API_KEY": "the key to send with",
        "SENDGRID_WEBHOOK_KEY": "the public key of SendGrid's event webhook",
        "NEWSLETTER_ALERTS": "where operators get their alerts",
    }
    for name, what in wanted.items():
        yield f"{environment.name}: {name}: {what}"
