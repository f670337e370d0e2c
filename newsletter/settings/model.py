"""The shapes of the settings: frozen, complete, strict. The reference page is made from them."""

from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from newsletter.core.circuit_breaker import CircuitBreaker
from newsletter.core.console_address import console_url
from newsletter.core.loopback import is_loopback_url
from newsletter.core.publication import (
    Newsletter,
)
from newsletter.core.sending_limits import RateLimit
from newsletter.errors import ConfigurationError

_EVENTS_LEAST = 14  #: days; SendGrid repeats an event for less than that
_EVIDENCE_LEAST = 365  #: days


def _base_url(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return url.rstrip("/")


def _network(text: str) -> str:
    """Return an address or a network as it is; one that all the world is in trusts everybody."""
    try:
        network = ip_network(text)
    except ValueError as error:
        raise ValueError(f"no address or network: {error}") from None
    if not network.prefixlen:
        raise ValueError(f"{text} would believe everybody: name the proxies")
    return text


Network = Annotated[str, AfterValidator(_network)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]


class SettingsSection(BaseModel):
    """A table of `service.toml`. The reference page of settings is generated from the fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class OidcSettings(SettingsSection):
    """The company's own sign-in for the console, by OpenID Connect; needs the extra `oidc`."""

    issuer: BaseUrl
    """The provider's issuer, as its discovery document names it: https, except on this machine."""
    client_id: str = Field(min_length=1)
    """The console's name at the provider."""
    name: str = Field(default="your company's sign-in", min_length=1, max_length=60)
    """What the button calls it: "Sign in with …"."""

    @model_validator(mode="after")
    def _is_private(self) -> Self:
        parts = urlsplit(self.issuer)
        if parts.scheme != "https" and not is_loopback_url(self.issuer):
            raise ValueError("issuer: must begin with https:// where it is not this machine")
        if parts.query or parts.fragment or parts.username:
            raise ValueError("issuer: is an address without query, fragment and user")
        return self


class WebSettings(SettingsSection):
    """Where the web pages are served."""

    host: str = Field(description="Address to listen on.")
    port: int = Field(ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
    console_host: str = "127.0.0.1"
    """Address that the console of the staff listens on."""
    console_port: int = Field(default=8081, ge=0, le=65535)
    """Port of the console; 0 takes any free one."""
    console_url: BaseUrl | None = Field(
        default=None,
        description="Base URL of the console, an origin of its own: https, except on this machine; "
        "by default made of host and port.",
    )
    trusted_proxies: tuple[Network, ...] = ()
    """Addresses or networks of the proxies before both: what they forward of a client is believed,
    and nobody else's headers are."""
    oidc: OidcSettings | None = None
    """The company's own sign-in for the console; by default there is none."""
    header_seconds: float = Field(default=10, gt=0)
    """A request whose head has not arrived after this is answered 408."""
    body_seconds: float = Field(default=60, gt=0)
    """The same for its body, which may be a mail with attachments."""
    connections: int = Field(default=400, ge=10)
    """Above it, those that wait for their client are closed; if none does, pages answer 503."""
    api_per_minute: int = Field(default=600, ge=1)
    """Requests that one token may make of the JSON API; above it they are answered 429."""


class SendGridSettings(SettingsSection):
    """How SendGrid is reached."""

    host: BaseUrl = Field(description="Base URL of the API: SendGrid's, its EU one, or a sandbox.")
    timeout_seconds: float = Field(gt=0, le=600, description="Limit of each socket operation.")


class SendingSettings(SettingsSection):
    """How batches are sent, and when an unknown one is reconciled."""

    batch_size: int = Field(ge=1, le=1000)
    """Recipients a request; SendGrid takes at most 1,000."""
    lease_seconds: int = Field(ge=1)
    """A claimed batch without a recorded outcome becomes unknown after this."""
    concurrency: int = Field(ge=1, le=64, description="Batches that one worker sends at a time.")
    quiet_minutes: float = Field(
        gt=0,
        description="An unknown batch without events for this long, while other events arrived "
        "throughout, is sent again once.",
    )
    confirmed_minutes: float = Field(default=5, ge=0)
    """The same, sooner, for a batch that neither events nor Email Logs show; 0: never sooner."""
    grace_minutes: float = Field(default=5, ge=0, le=60)
    """So long an issue that somebody sends by hand in the console can be called back; 0: not."""
    absence_minutes: float = Field(default=60, ge=0)
    """The same for a batch that Email Logs do not show; 0: a person decides."""


class ProcessesSettings(SettingsSection):
    """How the processes share the machine."""

    niceness: int = Field(default=10, ge=0, le=19)
    """How far workers, imports, exports and bulk changes give way to what readers wait for, as
    `nice` counts; 0: not at all."""


class PollingSettings(SettingsSection):
    """How sources are polled."""

    allow_hosts: tuple[str, ...] = ()
    """Hosts that may be on a private network, for development."""
    largest_bytes: int = Field(default=5_000_000, ge=1000)
    """Largest document, unpacked."""
    timeout_seconds: float = Field(default=20, gt=0, le=300)
    """Limit for one source with all its pages."""
    down_after_hours: float = Field(default=6, gt=0)
    """Hours of failures after which operators are notified."""


class WebhookSettings(SettingsSection):
    """How events are posted to webhook endpoints."""

    allow_hosts: tuple[str, ...] = ()
    """Hosts of endpoints that may be on a private network."""
    timeout_seconds: float = Field(default=10, gt=0, le=30)
    """Limit of one post, the answer included."""


class RetentionSettings(SettingsSection):
    """How long records are stored, in days; 0 is for ever."""

    events_days: int = Field(default=400, ge=0)
    """Raw events; the state of each delivery remains; 0, or at least 14."""
    deliveries_days: int = Field(default=400, ge=0)
    """Who got which issue, 32 issues at a time; sums remain; 0, or at least `events_days`."""
    evidence_days: int = Field(default=1461, ge=0)
    """Evidence of consent, from the end of a subscription; 0, or at least 365."""

    @model_validator(mode="after")
    def _not_too_short(self) -> Self:
        if 0 < self.events_days < _EVENTS_LEAST:
            raise ValueError(f"events_days: at least {_EVENTS_LEAST}, since events may be repeated")
        if self.deliveries_days and not 0 < self.events_days <= self.deliveries_days:
            raise ValueError("deliveries_days: 0, or at least events_days: events go with them")
        if 0 < self.evidence_days < _EVIDENCE_LEAST:
            raise ValueError(f"evidence_days: at least {_EVIDENCE_LEAST}: consent must be shown")
        return self


class ServiceSettings(SettingsSection):
    """`config/service.toml`."""

    public_url: BaseUrl = Field(description="Base URL of the web pages and of every link.")
    web: WebSettings
    sendgrid: SendGridSettings
    sending: SendingSettings
    circuit_breaker: CircuitBreaker
    rate_limit: RateLimit
    processes: ProcessesSettings = ProcessesSettings()
    polling: PollingSettings = PollingSettings()
    webhooks: WebhookSettings = WebhookSettings()
    retention: RetentionSettings = RetentionSettings()


def _variable(name: str, description: str | None = None, default: Path | None = None) -> Any:
    return Field(default, validation_alias=name, description=description)


class EnvironmentSettings(BaseSettings):
    """Environment variables; the only place for secrets."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    database_url: SecretStr | None = _variable("NEWSLETTER_DATABASE_URL")
    """PostgreSQL; without it an embedded server is started."""
    sendgrid_host: BaseUrl | None = _variable("NEWSLETTER_SENDGRID_HOST")
    """Replaces `sendgrid.host` of service.toml."""
    public_url: BaseUrl | None = _variable("NEWSLETTER_PUBLIC_URL")
    """Replaces `public_url` of service.toml."""
    config: Path | None = _variable("NEWSLETTER_CONFIG")
    """Folder with service.toml and newsletters/; default: the shipped one."""
    templates: Path | None = _variable("NEWSLETTER_TEMPLATES")
    """Folder with the templates; default: the shipped one."""
    var: Path = _variable("NEWSLETTER_VAR", default=Path("var"))
    """Folder for the embedded database, the sandbox and the demo."""
    backups: Path | None = _variable("NEWSLETTER_BACKUPS")
    """Folder with the backups, whose age `newsletter doctor` looks at."""
    sendgrid_api_key: SecretStr | None = _variable("SENDGRID_API_KEY")
    """API key; without it nothing can be sent."""
    sendgrid_webhook_key: str | None = _variable(
        "SENDGRID_WEBHOOK_KEY",
        "Public keys of the event webhook, comma-separated; without one, events are refused and "
        "Email Logs are read instead.",
    )
    alerts: SecretStr | None = _variable("NEWSLETTER_ALERTS")
    """Apprise URLs for operator alerts, separated by spaces or commas; default: log only."""
    oidc_secret: SecretStr | None = _variable("NEWSLETTER_OIDC_SECRET")
    """Client secret at the provider of `[web.oidc]`; without it the console is a public client."""
    metrics_token: SecretStr | None = _variable("NEWSLETTER_METRICS_TOKEN")
    """Bearer token for /readyz and /metrics, or several, comma-separated, while one takes over;
    without it this machine only."""
    inbound_key: SecretStr | None = _variable(
        "NEWSLETTER_INBOUND_KEY",
        "Password in the URL that SendGrid's Inbound Parse posts to, or several, comma-separated, "
        "while one takes over; without it only mail with a link's token is processed.",
    )

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return the values that no log line may contain."""
        values = (value for _, value in self)
        return tuple(one.get_secret_value() for one in values if isinstance(one, SecretStr))


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings, read once at the start."""

    environment: EnvironmentSettings
    service: ServiceSettings
    newsletters: dict[str, Newsletter]
    templates: Path

    @property
    def public_url(self) -> str:
        """Return the base of every link in a letter."""
        return self.environment.public_url or self.service.public_url

    @property
    def console_url(self) -> str:
        """Return the base of every link to the console."""
        web = self.service.web
        return web.console_url or console_url(web.console_host, web.console_port)

    @property
    def sendgrid_host(self) -> str:
        return self.environment.sendgrid_host or self.service.sendgrid.host

    @property
    def practice(self) -> bool:
        """Return whether no real mail can leave: SendGrid is played by this machine."""
        return is_loopback_url(self.sendgrid_host)

    def newsletter(self, slug: str) -> Newsletter:
        if slug not in self.newsletters:
            known = ", ".join(self.newsletters)
            raise ConfigurationError(f"there is no newsletter {slug!r}; choose from: {known}")
        return self.newsletters[slug]
