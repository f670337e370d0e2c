"""Judges what the DNS says of a sender: SPF, DKIM, DMARC and its alignment, MX, addresses.

A lookup answers with values, none where there is nothing, or raises LookupUnanswered.
See RFC 7208, 6376 and 7489, and for the organisational domain the tree walk of DMARCbis.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from newsletter.core.account import AccountDomain
from newsletter.core.account_checks import is_within
from newsletter.core.publication import Newsletter
from newsletter.core.setup_finding import SetupArea, SetupFinding, SetupSubject
from newsletter.errors import LookupUnanswered

#: Asks for the values of a name's records of a type, such as ("example.com", "TXT").
Lookup = Callable[[str, str], Sequence[str]]

SENDGRID_MX = "mx.sendgrid.net"
_SPF_LOOKUPS = 10  #: RFC 7208, section 4.6.4
_LONGEST_WALK = 8  #: labels, as DMARCbis has it
_COSTLY = re.compile(r"[+?~-]?(include:|a\b|mx\b|ptr\b|exists:)|redirect=")
_DMARC = re.compile(r"\s*v\s*=\s*DMARC1\s*(;|$)")


def domain_findings(
    newsletter: Newsletter, domains: Sequence[AccountDomain], lookup: Lookup
) -> Iterator[SetupFinding]:
    """Judge everything that receivers of a newsletter's letters look up."""
    host = newsletter.sender.email.rpartition("@")[2]
    mine = [one for one in domains if is_within(host, one.domain)]
    yield from _each("SPF", host, lambda: _spf(host, lookup))
    for one in mine:
        yield from _each("DKIM", one.domain, lambda one=one: _dkim(one, lookup))
    yield from _each("DMARC", host, lambda: _dmarc(host, mine, lookup))
    inbound = newsletter.unsubscribe_email.rpartition("@")[2]
    yield from _each("MX", inbound, lambda: _mx(inbound, lookup))


def address_findings(host: str, lookup: Lookup) -> Iterator[SetupFinding]:
    """Judge whether a web host can be found."""
    yield from _each("web host", host, lambda: _addresses(host, lookup))


def _each(
    subject: str, name: str, judge: Callable[[], Iterator[SetupFinding]]
) -> Iterator[SetupFinding]:
    try:
        yield from judge()
    except LookupUnanswered as error:
        yield SetupSubject(SetupArea.DNS, subject).unknown(
            f"{name}: {error}", "try again, or name a server: --resolver 9.9.9.9"
        )


def _spf(host: str, lookup: Lookup) -> Iterator[SetupFinding]:
    about = SetupSubject(SetupArea.DNS, "SPF")
    found = [one for one in lookup(host, "TXT") if one.casefold().split(" ")[0] == "v=spf1"]
    if len(found) > 1:
        yield about.fail(
            f"{host} has {len(found)} SPF records, and so none holds", "merge them into one"
        )
    elif not found:
        yield about.ok(f"{host} has none, and needs none: SendGrid's return path has its own")
    elif re.search(r"(^|\s)\+?all\b", found[0], re.IGNORECASE):
        yield about.fail(f"{host} lets everybody write: {found[0]}", "end it with ~all or -all")
    elif (count := sum(bool(_COSTLY.match(p)) for p in found[0].casefold().split())) > _SPF_LOOKUPS:
        yield about.fail(
            f"{host} needs {count} lookups, and receivers stop after {_SPF_LOOKUPS}",
            "remove includes that nobody sends by",
        )
    else:
        yield about.ok(f"{host}: {found[0]}")


def _dkim(domain: AccountDomain, lookup: Lookup) -> Iterator[SetupFinding]:
    about = SetupSubject(SetupArea.DNS, "DKIM")
    lost = [one for one in domain.dkim_hosts if not _has_key(lookup(one, "TXT"))]
    for host in lost:
        data = dict(domain.records).get(host, "")
        yield about.fail(
            f"{host} leads to no key: letters are not signed as {domain.domain}",
            f"publish the record {host} CNAME {data}".rstrip(),
        )
    if domain.dkim_hosts and not lost:
        yield about.ok(f"{', '.join(domain.dkim_hosts)} lead to keys")


def _has_key(texts: Sequence[str]) -> bool:
    """Return whether a record holds a key; an empty one is a key that was withdrawn."""
    return any(re.search(r"(^|;)\s*p\s*=\s*[A-Za-z0-9+/]", one) for one in texts)


def _dmarc(host: str, domains: Sequence[AccountDomain], lookup: Lookup) -> Iterator[SetupFinding]:
    about = SetupSubject(SetupArea.DNS, "DMARC")
    found = {name: record for name in _upward(host) if (record := _record(name, lookup))}
    if not found:
        yield about.fail(
            f"neither {host} nor a domain above it has a DMARC record: Gmail, Yahoo and Outlook "
            "reject mail to many without one",
            f'publish the record _dmarc.{host} TXT "v=DMARC1; p=none; rua=mailto:…"',
        )
        return
    nearest, tags = next(iter(found.items()))
    policy = tags.get("p", "")
    if policy not in ("none", "quarantine", "reject"):
        yield about.fail(f"the record of {nearest} has no policy that receivers know", "set p=none")
        return
    yield _aligned(about, host, [*found][-1], domains, tags)
    if policy == "none" and "rua" not in tags:
        yield about.warn(
            f"the record of {nearest} asks for nothing: p=none, and no reports",
            "add rua=mailto:… and read the reports, then p=quarantine",
        )


def _aligned(
    about: SetupSubject,
    host: str,
    organisation: str,
    domains: Sequence[AccountDomain],
    tags: dict[str, str],
) -> SetupFinding:
    """Return whether what signs a letter stands for its sender, strictly where that is asked."""
    strict = tags.get("adkim", "r") == "s"
    signing = [one.domain for one in domains if one.valid]
    close = [
        one
        for one in signing
        if one.casefold() == host.casefold() or (not strict and is_within(one, organisation))
    ]
    if close:
        return about.ok(f"{host}: p={tags['p']}, and letters are signed as {close[0]}: aligned")
    cure = f"authenticate {host} in SendGrid"
    if strict and signing:
        return about.fail(
            f"{host} is signed as {signing[0]}, and adkim=s asks for {host} itself", cure
        )
    return about.fail(f"{host}: p={tags['p']}, and nothing signs as it: not aligned", cure)


def _upward(host: str) -> Iterator[str]:
    """Yield a host and the domains above it, but for the top level."""
    labels = host.split(".")[-_LONGEST_WALK:]
    return (".".join(labels[n:]) for n in range(len(labels) - 1))


def _record(name: str, lookup: Lookup) -> dict[str, str] | None:
    """Return the tags of a DMARC record; None if there is none, or several, which is the same."""
    found = [one for one in lookup(f"_dmarc.{name}", "TXT") if _DMARC.match(one)]
    if len(found) != 1:
        return None
    pairs = (part.partition("=") for part in found[0].split(";"))
    tags = {key.strip().lower(): value.strip().lower() for key, _, value in pairs if key.strip()}
    return None if tags.get("psd") == "y" else tags


def _mx(host: str, lookup: Lookup) -> Iterator[SetupFinding]:
    about = SetupSubject(SetupArea.DNS, "MX")
    found = [one.rstrip(".").casefold() for one in lookup(host, "MX")]
    if not found or found == [""]:
        yield about.fail(
            f"{host} takes no mail, and the letters' unsubscribe address is there",
            f"publish the record {host} MX 10 {SENDGRID_MX}, or use a mailbox that is read",
        )
    elif SENDGRID_MX in found:
        yield about.ok(f"mail to {host} goes to {SENDGRID_MX}")
    else:
        yield about.ok(f"mail to {host} goes to {found[0]}: somebody must read that mailbox")


def _addresses(host: str, lookup: Lookup) -> Iterator[SetupFinding]:
    about = SetupSubject(SetupArea.DNS, "web host")
    found = [*lookup(host, "A"), *lookup(host, "AAAA")]
    if found:
        yield about.ok(f"{host} is at {', '.join(found)}")
    else:
        yield about.fail(
            f"{host} has no address: no link of a letter works", f"publish {host} A or AAAA"
        )
