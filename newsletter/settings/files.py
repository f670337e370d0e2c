"""Reads the settings: public ones from TOML files, secrets from the environment."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from email_validator import EmailNotValidError, validate_email
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from newsletter.core.console_address import console_fault
from newsletter.core.newsletter_checks import newsletter_faults, timetable_faults
from newsletter.core.publication import Newsletter, weekly_digest
from newsletter.errors import ConfigurationError
from newsletter.settings.model import EnvironmentSettings, ServiceSettings, Settings

T = TypeVar("T")

with_config(ConfigDict(extra="forbid"))(Newsletter)  # an unknown key is an error, in its parts too


def shipped(name: str) -> Path:
    """Return a data folder: inside an installed package, or at the top of the source tree."""
    package = Path(__file__).parent.parent
    installed = package / "_shipped" / name
    return installed if installed.is_dir() else package.parent / name


def load_settings(config: Path | None = None) -> Settings:
    """Read environment and files; ConfigurationError names the file and the key."""
    try:
        environment = EnvironmentSettings()  # pyright: ignore[reportCallIssue]  # from the environment
    except ValidationError as error:
        raise ConfigurationError(_error_sentence("environment", error)) from None
    folder = config or environment.config or shipped("config")
    templates = environment.templates or shipped("templates")
    if not (templates / "issue").is_dir():
        raise ConfigurationError(f"NEWSLETTER_TEMPLATES: {templates}/issue is not a folder")
    settings = Settings(
        environment=environment,
        service=_read(folder / "service.toml", TypeAdapter(ServiceSettings)),
        newsletters=dict(_read_newsletters(folder / "newsletters")),
        templates=templates,
    )
    web = settings.service.web
    if fault := console_fault(web.console_host, settings.console_url, settings.public_url):
        raise ConfigurationError(f"{folder / 'service.toml'}: web: {fault}")
    if fault := _retention_fault(settings):
        raise ConfigurationError(f"{folder / 'service.toml'}: retention: {fault}")
    return settings


def _retention_fault(settings: Settings) -> str:
    """Return what is asked of deliveries that would be gone by then; empty if nothing is."""
    kept = settings.service.retention.deliveries_days
    for slug, newsletter in settings.newsletters.items():
        if kept and newsletter.sunset and newsletter.sunset.after_days > kept:
            needed = newsletter.sunset.after_days
            return f"deliveries_days: 0, or at least the {needed} of sunset.after_days in {slug}"
    return ""


def _read_newsletters(folder: Path) -> Iterator[tuple[str, Newsletter]]:
    shape = TypeAdapter(Newsletter)
    pillars: dict[str, Path] = {}
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise ConfigurationError(f"{folder}: there is no newsletter here (no .toml file)")
    for path in files:
        newsletter = _read(path, shape, slug=path.stem)
        for key, sentence in _faults(newsletter):
            raise ConfigurationError(f"{path}: {key}: {sentence}")
        if other := pillars.get(newsletter.pillar.casefold()):
            raise ConfigurationError(f"{path}: pillar: {other} already prints this pillar")
        pillars[newsletter.pillar.casefold()] = path
        yield newsletter.slug, newsletter
        if newsletter.weekly:
            yield _weekly_newsletter(path, weekly_digest(newsletter, newsletter.weekly))


def _weekly_newsletter(path: Path, digest: Newsletter) -> tuple[str, Newsletter]:
    """Return the digest by its slug; ConfigurationError if the file's `[weekly]` makes no sense."""
    for key, sentence in timetable_faults(digest.timetable):
        place = key.replace("timetable", "weekly")
        raise ConfigurationError(f"{path}: {place}: {sentence}")
    if path.with_stem(digest.slug).exists():
        raise ConfigurationError(f"{path}: weekly: there is a newsletter {digest.slug} already")
    return digest.slug, digest


def _faults(newsletter: Newsletter) -> Iterator[tuple[str, str]]:
    yield from newsletter_faults(newsletter)
    mailboxes = {"sender": newsletter.sender.email, "reply_to": newsletter.reply_to.email}
    for key, email in (mailboxes | {"unsubscribe_email": newsletter.unsubscribe_email}).items():
        try:
            validate_email(email, check_deliverability=False, test_environment=True)
        except EmailNotValidError as error:
            yield key, f"{email!r} is not an address: {error}"


def _read(path: Path, shape: TypeAdapter[T], **more: Any) -> T:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"{path}: there is no such file") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: is not text in UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: is not TOML: {error}") from None
    try:
        return shape.validate_python(found | more)
    except ValidationError as error:
        raise ConfigurationError(_error_sentence(str(path), error)) from None


def _error_sentence(place: str, error: ValidationError) -> str:
    words = {"missing": "this key is missing", "extra_forbidden": "no such key"}
    words["unexpected_keyword_argument"] = "no such key"
    faults = (
        f"{'.'.join(map(str, fault['loc']))}: "
        f"{words.get(fault['type'], fault['msg'].removeprefix('Value error, '))}"
        for fault in error.errors(include_input=False, include_url=False)
    )
    return f"{place}: {'; '.join(faults)}"
