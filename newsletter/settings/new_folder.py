"""Writes a folder of settings for a new installation, from the shipped one and a few answers."""

import os
import secrets
import shlex
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import tomlkit

from newsletter.core.loopback import is_loopback_url
from newsletter.errors import ConfigurationError
from newsletter.settings.files import load_settings, shipped

_HTTP = 80  #: the port of a URL that names none

ENVIRONMENT = "newsletter.env"  #: the file with the secrets; systemd and Docker read it

_ENVIRONMENT = """\
# The environment of every process. It holds secrets: commit it nowhere, let nobody else read it.
# An empty value is none. Put 'single quotes' around a value with blanks or other odd characters.

NEWSLETTER_CONFIG={folder}

# PostgreSQL, such as postgresql://newsletter:secret@db.example.com/newsletter; empty: an embedded
# server.
NEWSLETTER_DATABASE_URL=

# From SendGrid: an API key with the scope mail.send, and the public key of the signed webhook.
SENDGRID_API_KEY=
SENDGRID_WEBHOOK_KEY=

# Folder with the nightly backups; `newsletter doctor` and the console say how old the newest is.
#NEWSLETTER_BACKUPS=/backup

# Apprise URLs for operator alerts, such as mailtos://...; empty: alerts are in the log only.
NEWSLETTER_ALERTS=

# Made up for this folder. Prometheus sends the first as bearer token; the second is the password
# in the address of SendGrid's Inbound Parse, https://sendgrid:KEY@YOUR-HOST/webhooks/inbound.
NEWSLETTER_METRICS_TOKEN={metrics_token}
NEWSLETTER_INBOUND_KEY={inbound_key}

# The console's client secret at the company's own sign-in, with [web.oidc] in service.toml.
NEWSLETTER_OIDC_SECRET=
"""


@dataclass(frozen=True, kw_only=True)
class NewInstallation:
    """What the settings of a new installation say; None stays to be filled in."""

    slug: str
    name: str
    pillar: str
    tagline: str
    zone: str
    from_address: str | None = None
    reply_to: str | None = None  #: by default the sender
    postal_address: str | None = None
    public_url: str | None = None
    console_url: str | None = None
    proxy: str = "127.0.0.1"  #: believed about its clients, where a URL is https


def require_new(folder: Path) -> None:
    """Raise ConfigurationError if there is anything in the folder: nothing is overwritten."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError(f"{folder} exists and is not empty; nothing was written")


def write_folder(folder: Path, answers: NewInstallation) -> None:
    """Write the settings, wholly or not at all; ConfigurationError if they make no sense."""
    require_new(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        _write(draft, folder, answers)
        load_settings(draft)
        draft.chmod(0o755)
        draft.rename(folder)
    except ConfigurationError as error:
        raise ConfigurationError(str(error).replace(str(draft), str(folder))) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write(draft: Path, folder: Path, answers: NewInstallation) -> None:
    source = shipped("config")
    service = _changed(source / "service.toml", _service(answers))
    (draft / "service.toml").write_text(service, encoding="utf-8")
    (draft / "newsletters").mkdir()
    [example] = (source / "newsletters").glob("*.toml")
    newsletter = _changed(example, _newsletter(answers))
    (draft / "newsletters" / f"{answers.slug}.toml").write_text(newsletter, encoding="utf-8")
    text = _ENVIRONMENT.format(
        folder=shlex.quote(str(folder.resolve())),
        metrics_token=secrets.token_urlsafe(32),
        inbound_key=secrets.token_urlsafe(32),
    )
    with (draft / ENVIRONMENT).open("w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)


def _service(answers: NewInstallation) -> dict[str, Any]:
    proxied = [one for one in (answers.public_url, answers.console_url) if _needs_proxy(one)]
    web = {
        "console_url": answers.console_url,
        "trusted_proxies": [answers.proxy] if proxied else None,
    }
    listening = _listening(answers.public_url) | _listening(answers.console_url, "console_")
    return {"public_url": answers.public_url, "web": web | listening}


def _listening(url: str | None, prefix: str = "") -> dict[str, Any]:
    """Return where to listen for a URL of this machine; before any other one there is a proxy."""
    if url is None or not url.startswith("http://") or not is_loopback_url(url):
        return {}
    parts = urlsplit(url)
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname
    return {f"{prefix}host": host, f"{prefix}port": parts.port or _HTTP}


def _needs_proxy(url: str | None) -> bool:
    return url is not None and url.startswith("https://") and not is_loopback_url(url)


def _newsletter(answers: NewInstallation) -> dict[str, Any]:
    address = answers.from_address
    domain = address.rpartition("@")[2] if address else None
    return {
        "name": answers.name,
        "pillar": answers.pillar,
        "tagline": answers.tagline,
        "postal_address": answers.postal_address or "",
        "unsubscribe_email": f"unsubscribe@{domain}" if domain else None,
        "list_id": f"{answers.slug}.{domain}" if domain else None,
        "sender": {"name": answers.name, "email": address},
        "reply_to": {"name": answers.name, "email": answers.reply_to or address},
        "timetable": {"zone": answers.zone},
        "weekly": {"name": "", "tagline": ""},  # by the newsletter's own
    }


def _changed(path: Path, changes: dict[str, Any]) -> str:
    """Return a file's text with other values; its comments stay."""
    document = tomlkit.parse(path.read_text(encoding="utf-8"))
    _change(document, changes)
    return tomlkit.dumps(document)  # pyright: ignore[reportUnknownMemberType]  # its values are Any


def _change(table: Any, changes: dict[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, dict):
            _change(table[key], cast("dict[str, Any]", value))
        elif value is not None:
            table[key] = value
