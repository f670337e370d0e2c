"""Settings: public ones from TOML files, secrets from the environment; frozen, complete, strict."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    model_validator,
    with_config,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from newsletter.core.newsletter_checks import newsletter_faults, timetable_faults
from newsletter.core.publication import (
    Caps,
    Mailbox,
    Newsletter,
    Timetable,
    Topic,
    WeeklyDigest,
    weekly_digest,
)
from newsletter.core.sending_limits import CircuitBreaker, RateLimit
from newsletter.core.signup import SignUpRules
from newsletter.core.source import FieldDefaults, FieldMap, PolledSource
from newsletter.errors import ConfigurationError
from subscribers.model import SunsetPolicy

T = TypeVar("T")

_EVENTS_LEAST = 14  #: days; SendGrid repeats an event for less than that
_EVIDENCE_LEAST = 365  #: days

for _shape in (
    CircuitBreaker,
    RateLimit,
    Caps,
    FieldDefaults,
    FieldMap,
    Mailbox,
    Newsletter,
    PolledSource,
    SignUpRules,
    SunsetPolicy,
    Timetable,
    Topic,
    WeeklyDigest,
):
    with_config(ConfigDict(extra="forbid"))(_shape)  # an unknown key is an error


def _base_url(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return url.rstrip("/")


BaseUrl = Annotated[str, AfterValidator(_base_url)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Web(_Part):
    """Where the web pages are served."""

    host: str
    port: int = Field(ge=0, le=65535)


class SendGrid(_Part):
    """How SendGrid is reached."""

    host: BaseUrl
    timeout_seconds: float = Field(gt=0, le=600)  #: per socket operation


class Sending(_Part):
    """How batches leave the house."""

    batch_size: int = Field(ge=1, le=1000)  #: mail/send: at most 1,000 personalizations
    lease_seconds: int = Field(ge=1)
    concurrency: int = Field(ge=1, le=64)
    quiet_minutes: float = Field(gt=0)
    absence_minutes: float = Field(default=60, ge=0)  #: 0: absence from Email Logs permits nothing


class Polling(_Part):
    """How sources are polled."""

    allow_hosts: tuple[str, ...] = ()  #: hosts on a private network, for development
    largest_bytes: int = Field(default=5_000_000, ge=1000)  #: of one document, unpacked
    timeout_seconds: float = Field(default=20, gt=0, le=300)  #: for one source, with all its pages
    down_after_hours: float = Field(default=6, gt=0)  #: of failures; then a person should know


class Retained(_Part):
    """How long things are kept; 0 is for ever."""

    events_days: int = Field(default=400, ge=0)  #: raw events; states remain
    evidence_days: int = Field(default=1461, ge=0)  #: from a subscription's end

    @model_validator(mode="after")
    def _not_too_short(self) -> Self:
        if 0 < self.events_days < _EVENTS_LEAST:
            raise ValueError(f"events_days: at least {_EVENTS_LEAST}, since events may be repeated")
        if 0 < self.evidence_days < _EVIDENCE_LEAST:
            raise ValueError(f"evidence_days: at least {_EVIDENCE_LEAST}: consent must be shown")
        return self


class Service(_Part):
    """`config/service.toml`."""

    public_url: BaseUrl
    web: Web
    sendgrid: SendGrid
    sending: Sending
    fuse: CircuitBreaker
    pace: RateLimit
    polling: Polling = Polling()
    retention: Retained = Retained()


class Environment(BaseSettings):
    """What the environment says; secrets stand nowhere else."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    database_url: SecretStr | None = Field(None, validation_alias="NEWSLETTER_DATABASE_URL")
    sendgrid_host: BaseUrl | None = Field(None, validation_alias="NEWSLETTER_SENDGRID_HOST")
    public_url: BaseUrl | None = Field(None, validation_alias="NEWSLETTER_PUBLIC_URL")
    config: Path | None = Field(None, validation_alias="NEWSLETTER_CONFIG")
    templates: Path | None = Field(None, validation_alias="NEWSLETTER_TEMPLATES")
    var: Path = Field(Path("var"), validation_alias="NEWSLETTER_VAR")
    sendgrid_api_key: SecretStr | None = Field(None, validation_alias="SENDGRID_API_KEY")
    sendgrid_webhook_key: str | None = Field(None, validation_alias="SENDGRID_WEBHOOK_KEY")
    #: Apprise URLs, separated by spaces or commas
    alerts: SecretStr | None = Field(None, validation_alias="NEWSLETTER_ALERTS")
    metrics_token: SecretStr | None = Field(None, validation_alias="NEWSLETTER_METRICS_TOKEN")
    #: the password in the URL that SendGrid's Inbound Parse posts to
    inbound_key: SecretStr | None = Field(None, validation_alias="NEWSLETTER_INBOUND_KEY")

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return what no log may say."""
        values = (value for _, value in self)
        return tuple(one.get_secret_value() for one in values if isinstance(one, SecretStr))


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that may be chosen, read once."""

    environment: Environment
    service: Service
    newsletters: dict[str, Newsletter]
    templates: Path

    @property
    def public_url(self) -> str:
        """Return the base of every link in a letter."""
        return self.environment.public_url or self.service.public_url

    @property
    def sendgrid_host(self) -> str:
        """Return the base URL of SendGrid, or of its stand-in."""
        return self.environment.sendgrid_host or self.service.sendgrid.host

    def newsletter(self, slug: str) -> Newsletter:
        """Return the newsletter of this slug."""
        if slug not in self.newsletters:
            known = ", ".join(self.newsletters)
            raise ConfigurationError(f"there is no newsletter {slug!r}; there is: {known}")
        return self.newsletters[slug]


def shipped(name: str) -> Path:
    """Return a data folder: inside an installed package, or at the top of the source tree."""
    package = Path(__file__).parent
    installed = package / "_shipped" / name
    return installed if installed.is_dir() else package.parent / name


def load_settings(config: Path | None = None) -> Settings:
    """Read environment and files; ConfigurationError names the file and the key."""
    try:
        environment = Environment()  # pyright: ignore[reportCallIssue]  # from the environment
    except ValidationError as error:
        raise ConfigurationError(_sentence("environment", error)) from None
    folder = config or environment.config or shipped("config")
    templates = environment.templates or shipped("templates")
    if not (templates / "issue").is_dir():
        raise ConfigurationError(f"NEWSLETTER_TEMPLATES: {templates}/issue is not a folder")
    return Settings(
        environment=environment,
        service=_read(folder / "service.toml", TypeAdapter(Service)),
        newsletters=dict(_read_newsletters(folder / "newsletters")),
        templates=templates,
    )


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
            yield _derived(path, weekly_digest(newsletter, newsletter.weekly))


def _derived(path: Path, digest: Newsletter) -> tuple[str, Newsletter]:
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
        raise ConfigurationError(_sentence(str(path), error)) from None


def _sentence(place: str, error: ValidationError) -> str:
    words = {"missing": "this key is missing", "extra_forbidden": "no such key"}
    words["unexpected_keyword_argument"] = "no such key"
    faults = (
        f"{'.'.join(map(str, fault['loc']))}: "
        f"{words.get(fault['type'], fault['msg'].removeprefix('Value error, '))}"
        for fault in error.errors(include_input=False, include_url=False)
    )
    return f"{place}: {'; '.join(faults)}"
