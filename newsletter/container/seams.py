"""The parts at which the service ends and the world begins, and what answers in production."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

from sqlalchemy import URL, Engine, event

from newsletter.adapters.embedded import EmbeddedServer, open_server
from newsletter.core.webhook import LOOPBACK
from newsletter.errors import ConfigurationError
from newsletter.ports import (
    AlertChannel,
    BatchQueue,
    CheckLink,
    Clock,
    EmailLogs,
    IdentityProvider,
    Leadership,
    Mailer,
    PostWebhook,
    SenderAccount,
    SourceReader,
    StaffMailer,
    TransactionalMailer,
    VendorSuppressions,
)
from newsletter.settings import Settings
from newsletter.stores.database import (
    database_url,
    make_engine,
    migrate,
    newest_version,
    tables_version,
)
from newsletter.stores.healthcheck import require_no_workers

if TYPE_CHECKING:
    from newsletter.adapters.sendgrid.mailer import SendGridMailer


_LINK_SECONDS = 10  #: for one link, redirects included


class MigratedTables(NamedTuple):
    """The versions of a database's tables, before and after they were brought up to date."""

    before: str | None  #: None: it had none
    now: str


class Seams(TypedDict, total=False):
    """What a container takes as given instead of making it, such as a test's doubles."""

    alert_channels: Sequence[AlertChannel]
    check_link: CheckLink
    clock: Clock
    dice: Callable[[], float]  #: a number from 0 to 1; spreads retries
    email_logs: EmailLogs | None
    identity_provider: IdentityProvider | None
    engine: Engine  #: of a migrated database
    leadership: Leadership
    mailer: Mailer
    new_id: Callable[[], str]  #: for attempts
    post_webhook: PostWebhook
    queue: BatchQueue
    sender_account: SenderAccount
    source_reader: SourceReader
    staff_addresses: Callable[[], Iterable[str]]  #: confirmed ones of members of staff
    staff_mailer: StaffMailer
    suppression_lists: VendorSuppressions
    transactional_mailer: TransactionalMailer


def open_embedded(settings: Settings) -> EmbeddedServer | None:
    """Return the embedded server, not started; None where NEWSLETTER_DATABASE_URL names one."""
    environment = settings.environment
    return None if environment.database_url else open_server(environment.var / "postgres")


def open_database(settings: Settings, embedded: EmbeddedServer | None) -> URL:
    """Return the address of the database, which answers but is not migrated."""
    if embedded:
        return embedded.start()
    url = settings.environment.database_url
    assert url  # where no server is named, there is the embedded one
    return database_url(url.get_secret_value())


def open_engine(database: URL, *, embedded: bool) -> Engine:
    """Return the database of this address, whose tables are this version's.

    The embedded one belongs to this program alone, and is brought up to date as it starts.
    """
    engine = make_engine(database)
    try:
        migrate(engine, only_new=not embedded)
    except BaseException:
        engine.dispose()
        raise
    return engine


def give_way(engine: Engine, niceness: int) -> None:
    """Let others go first: this thread, what it starts, and the engine's connections."""
    from newsletter.adapters.priority import give_way, let_backend_give_way

    def connected(connection: Any, _record: Any) -> None:
        let_backend_give_way(connection, niceness)

    if not niceness:
        return
    give_way(niceness)
    event.listen(engine, "connect", connected)
    engine.dispose()  # what was opened before would not give way


def migrate_database(database: URL, *, while_running: bool) -> MigratedTables:
    """Bring a database's tables up to date; DatabaseMismatch while workers work on them."""
    engine = make_engine(database)
    try:
        before = tables_version(engine)
        if before and before != newest_version() and not while_running:
            require_no_workers(engine)
        migrate(engine)
    finally:
        engine.dispose()
    return MigratedTables(before, newest_version())


def open_mailer(settings: Settings, clock: Clock) -> SendGridMailer:
    """Return the client of mail/send; ConfigurationError without a key."""
    from newsletter.adapters.sendgrid.mailer import SendGridMailer

    return SendGridMailer(**_access(settings), clock=clock)


def open_email_logs(settings: Settings) -> EmailLogs | None:
    """Return the client of Email Logs; None without a key."""
    if settings.environment.sendgrid_api_key is None:
        return None
    from newsletter.adapters.sendgrid.logs import SendGridLogs

    return SendGridLogs(**_access(settings))


def open_sender_account(settings: Settings, clock: Clock) -> SenderAccount:
    """Return the reader of the account at SendGrid; ConfigurationError without a key."""
    from newsletter.adapters.sendgrid.account import SendGridAccount

    return SendGridAccount(**_access(settings), clock=clock)


def open_suppression_lists(settings: Settings) -> VendorSuppressions:
    """Return the client of SendGrid's suppression lists; ConfigurationError without a key."""
    from newsletter.adapters.sendgrid.suppressions import SendGridLists

    return SendGridLists(**_access(settings))


def open_source_reader(settings: Settings) -> SourceReader:
    """Return the HTTP client that reads polled sources."""
    from newsletter.adapters.sources.fetching import Fetcher, FetchLimits
    from newsletter.adapters.sources.polling import HttpSourceReader

    polling = settings.service.polling
    limits = FetchLimits(
        largest_bytes=polling.largest_bytes,
        seconds=polling.timeout_seconds,
        allow_hosts=polling.allow_hosts,
    )
    return HttpSourceReader(Fetcher(limits))


def open_link_checker(settings: Settings) -> CheckLink:
    """Return the HTTP client that checks the links of stories, with the sources' own guard."""
    from newsletter.adapters.sources.fetching import Fetcher, FetchLimits
    from newsletter.adapters.sources.links import LinkChecker

    allowed = settings.service.polling.allow_hosts
    return LinkChecker(Fetcher(FetchLimits(seconds=_LINK_SECONDS, allow_hosts=allowed)))


def open_webhooks(settings: Settings) -> PostWebhook:
    """Return what posts to webhook endpoints; in practice they may be on this machine."""
    from newsletter.adapters.webhooks import HttpWebhooks

    webhooks = settings.service.webhooks
    allowed = {*webhooks.allow_hosts, *(LOOPBACK if settings.practice else ())}
    return HttpWebhooks(seconds=webhooks.timeout_seconds, allow_hosts=allowed).post


def open_alert_channels(settings: Settings) -> Sequence[AlertChannel]:
    """Return the channels that operators named; ConfigurationError if one is none."""
    from newsletter.adapters.alerts import open_channels

    urls = settings.environment.alerts
    return open_channels(urls.get_secret_value()) if urls else ()


def open_identity_provider(settings: Settings) -> IdentityProvider | None:
    """Return the company's own sign-in, if one is configured; ConfigurationError without authlib.

    It is not asked anything yet.
    """
    oidc, secret = settings.service.web.oidc, settings.environment.oidc_secret
    if oidc is None:
        return None
    try:
        from newsletter.adapters.staff.oidc import OidcClient, OidcProvider
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"[web.oidc] needs {error.name}, which is not installed: "
            "pip install 'newsletter[oidc]', or take [web.oidc] out of service.toml"
        ) from None
    return OidcProvider(
        OidcClient(
            issuer=oidc.issuer,
            client_id=oidc.client_id,
            secret=secret.get_secret_value() if secret else None,
            redirect_uri=f"{settings.console_url}/sign-in/provider/answer",
        )
    )


def open_queue(settings: Settings, engine: Engine) -> BatchQueue:
    """Return the queue of batches in the database."""
    from newsletter.adapters.jobs import JobQueue

    return JobQueue(engine, concurrency=settings.service.sending.concurrency)


def _access(settings: Settings) -> dict[str, Any]:
    key = settings.environment.sendgrid_api_key
    if key is None:
        raise ConfigurationError("SENDGRID_API_KEY is not set: there is no key to send with")
    timeout = settings.service.sendgrid.timeout_seconds
    return {"api_key": key.get_secret_value(), "host": settings.sendgrid_host, "timeout": timeout}
