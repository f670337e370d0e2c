"""What `newsletter doctor` asks, of SendGrid, the DNS and the world outside; it changes nothing."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from newsletter.core.account import AccountDomain
from newsletter.core.account_checks import (
    clock_finding,
    credit_finding,
    group_finding,
    link_finding,
    parse_finding,
    pool_finding,
    scope_findings,
    sender_finding,
    switch_findings,
    webhook_findings,
)
from newsletter.core.loopback import is_loopback_url
from newsletter.core.mail_domain import Lookup, address_findings, domain_findings
from newsletter.core.publication import Newsletter
from newsletter.core.setup_finding import SetupArea, SetupFinding, SetupSubject
from newsletter.core.site import certificate_finding, doctor_token, link_findings, unsigned_finding
from newsletter.errors import ConfigurationError, SendGridUnavailable, SiteUnreachable
from newsletter.ports import Clock, PublicSite, SenderAccount
from newsletter.services.setup_checks import AskedOnce, SetupCheck
from newsletter.services.setup_letters import SetupLetters


@dataclass(frozen=True, kw_only=True)
class Installed:
    """What is known here, and is compared with what is found elsewhere."""

    newsletters: Sequence[Newsletter]  #: those with a list
    digests: Sequence[Newsletter]  #: those without
    public_url: str
    sendgrid_host: str
    webhook_keys: frozenset[str]
    has_inbound_key: bool


@dataclass(eq=False)
class Doctor:
    """Makes the checks that ask others."""

    installed: Installed
    account: Callable[[], SenderAccount]  #: called late: there may be no key
    site: PublicSite
    lookup: Callable[[], Lookup]
    letters: Callable[[], SetupLetters]  #: called late: they need the database
    readers: Callable[[str], int]  #: of a newsletter
    own_key: Callable[[], bytes]  #: the installation's, which is in the database
    clock: Clock

    def __post_init__(self) -> None:
        self._domains = AskedOnce(lambda: self.account().domains())

    def checks(self) -> Iterator[SetupCheck]:
        """Yield every check; they may run side by side."""
        at = SetupArea
        yield SetupCheck(SetupSubject(at.SENDGRID, "practice"), self._practice)
        yield SetupCheck(SetupSubject(at.SENDGRID, "key"), self._scopes)
        if self._has_key():
            yield from self._of_the_account()
        yield SetupCheck(SetupSubject(at.DNS, "sender"), self._names)
        yield SetupCheck(SetupSubject(at.DNS, "web host"), self._web_host)
        yield SetupCheck(SetupSubject(at.PUBLIC, "TLS"), self._certificate)
        yield SetupCheck(SetupSubject(at.PUBLIC, "unsubscribe"), self._unsubscribe_link)
        yield SetupCheck(SetupSubject(at.PUBLIC, "webhook"), self._unsigned_post)

    def _has_key(self) -> bool:
        try:
            self.account()
        except ConfigurationError:  # it is a finding of its own
            return False
        return True

    def _of_the_account(self) -> Iterator[SetupCheck]:
        at = SetupArea
        yield SetupCheck(SetupSubject(at.MACHINE, "clock"), self._clock)
        yield SetupCheck(SetupSubject(at.SENDGRID, "sender"), self._senders)
        yield SetupCheck(SetupSubject(at.SENDGRID, "links"), self._links)
        yield SetupCheck(SetupSubject(at.SENDGRID, "sandbox mode"), self._rehearse)
        yield SetupCheck(SetupSubject(at.SENDGRID, "webhook"), self._webhooks)
        yield SetupCheck(SetupSubject(at.SENDGRID, "inbound"), self._inbound)
        yield SetupCheck(SetupSubject(at.SENDGRID, "account"), self._switches)
        yield SetupCheck(SetupSubject(at.SENDGRID, "groups"), self._groups)
        yield SetupCheck(SetupSubject(at.SENDGRID, "IP pool"), lambda: [pool_finding()])
        yield SetupCheck(SetupSubject(at.SENDGRID, "credits"), self._credits)

    def _practice(self) -> Iterator[SetupFinding]:
        host = self.installed.sendgrid_host
        if is_loopback_url(host):
            yield SetupSubject(SetupArea.SENDGRID, "practice").warn(
                f"SendGrid is played by this machine ({host}): no real mail can leave",
                "unset NEWSLETTER_SENDGRID_HOST, and let service.toml name SendGrid's own host",
            )

    def _clock(self) -> Iterator[SetupFinding]:
        about = SetupSubject(SetupArea.MACHINE, "clock")
        clock = self.account().clock()
        yield clock_finding(clock) if clock else about.unknown("SendGrid's answer has no date")

    def _scopes(self) -> Iterator[SetupFinding]:
        try:
            scopes = self.account().scopes()
        except (SendGridUnavailable, ConfigurationError) as error:
            yield SetupSubject(SetupArea.SENDGRID, "key").fail(
                str(error), "make an API key in SendGrid, and set SENDGRID_API_KEY"
            )
        else:
            yield from scope_findings(scopes)

    def _senders(self) -> Iterator[SetupFinding]:
        domains, senders = self._domains(), self.account().senders()
        for one in self.installed.newsletters:
            yield sender_finding(one, domains, senders)

    def _links(self) -> Iterator[SetupFinding]:
        links = self.account().links()
        return (link_finding(one, links) for one in self.installed.newsletters)

    def _rehearse(self) -> Iterator[SetupFinding]:
        about, letters = SetupSubject(SetupArea.SENDGRID, "sandbox mode"), self.letters()
        for one in (*self.installed.newsletters, *self.installed.digests):
            rehearsed = letters.rehearse(one)
            if rehearsed.refusal:
                yield about.fail(
                    f"{one.slug}: {rehearsed.what} would be refused: {rehearsed.refusal}",
                    "mend what SendGrid names; nothing was sent",
                )
            else:
                yield about.ok(f"{one.slug}: {rehearsed.what} would be accepted; nothing was sent")

    def _webhooks(self) -> Iterator[SetupFinding]:
        here, tracked = self.installed, (o.tracking for o in self.installed.newsletters)
        counted = any(one.opens or one.clicks for one in tracked)
        hooks = self.account().webhooks()
        yield from webhook_findings(hooks, here.public_url, here.webhook_keys, tracked=counted)

    def _inbound(self) -> Iterator[SetupFinding]:
        hosts, here = self.account().parse_hosts(), self.installed
        for one in here.newsletters:
            yield parse_finding(one, hosts, here.public_url, has_key=here.has_inbound_key)

    def _switches(self) -> Iterator[SetupFinding]:
        yield from switch_findings(self.account().switches())

    def _groups(self) -> Iterator[SetupFinding]:
        yield group_finding(self.account().groups())

    def _credits(self) -> Iterator[SetupFinding]:
        readers = sum(self.readers(one.slug) for one in self.installed.newsletters)
        yield credit_finding(self.account().credits(), readers)

    def _names(self) -> Iterator[SetupFinding]:
        domains, lookup = self._known_domains(), self.lookup()
        for one in self.installed.newsletters:
            yield from domain_findings(one, domains, lookup)

    def _known_domains(self) -> Sequence[AccountDomain]:
        """Return the domains the account has; none where it cannot be read, which is said."""
        try:
            return self._domains()
        except (SendGridUnavailable, ConfigurationError):
            return ()

    def _web_host(self) -> Iterator[SetupFinding]:
        host = urlsplit(self.installed.public_url).hostname or ""
        if is_loopback_url(self.installed.public_url):
            yield SetupSubject(SetupArea.DNS, "web host").fail(
                f"public_url is {self.installed.public_url}: readers cannot reach it",
                "set the address that readers reach as public_url",
            )
        else:
            yield from address_findings(host, self.lookup())

    def _certificate(self) -> Iterator[SetupFinding]:
        url, now = self.installed.public_url, self.clock.now()
        try:
            yield certificate_finding(url, self.site.certificate_end(), now)
        except SiteUnreachable as error:
            yield _unreachable("TLS", url, error)

    def _unsubscribe_link(self) -> Iterator[SetupFinding]:
        path = f"/u/{doctor_token(self.own_key())}"
        try:
            got = self.site.ask("GET", path)
            posted = self.site.ask("POST", path, "List-Unsubscribe=One-Click")
        except SiteUnreachable as error:
            yield _unreachable("unsubscribe", self.installed.public_url, error)
            return
        yield from link_findings(got, posted)

    def _unsigned_post(self) -> Iterator[SetupFinding]:
        try:
            yield unsigned_finding(self.site.ask("POST", "/webhooks/sendgrid", "[]"))
        except SiteUnreachable as error:
            yield _unreachable("webhook", self.installed.public_url, error)


def _unreachable(subject: str, url: str, error: SiteUnreachable) -> SetupFinding:
    return SetupSubject(SetupArea.PUBLIC, subject).fail(
        f"{url}: {error}", "start `newsletter serve`, and let the proxy reach it"
    )
