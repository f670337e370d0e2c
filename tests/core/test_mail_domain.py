"""What the DNS says of a sender is graded: every fault of SPF, DKIM, DMARC, MX and addresses."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from newsletter.core.account import AccountDomain
from newsletter.core.mail_domain import address_findings, domain_findings
from newsletter.core.setup_finding import SetupFinding, SetupGrade
from newsletter.errors import LookupUnanswered
from tests.settings import TECHNOLOGY

OK, UNKNOWN, WARN, FAIL = SetupGrade
HOST = "news.example.com"
SELECTOR = f"s1._domainkey.{HOST}"
MINE = AccountDomain(
    domain=HOST, valid=True, records=((SELECTOR, "s1.sendgrid.net"),), dkim_hosts=(SELECTOR,)
)
WELL = {
    (HOST, "TXT"): ["google-site-verification=1", "v=spf1 include:sendgrid.net ~all"],
    (HOST, "MX"): ["mx.sendgrid.net."],
    (SELECTOR, "TXT"): ["k=rsa; t=s; p=MIGf"],
    ("_dmarc.example.com", "TXT"): ["v=DMARC1; p=quarantine"],
}
#: Of a record that is there; None makes the lookup fail.
Records = dict[tuple[str, str], list[str] | None]


def found(records: Records, domains: Sequence[AccountDomain] = (MINE,)) -> list[SetupFinding]:
    return [*domain_findings(TECHNOLOGY, domains, lookup_in(WELL | records))]


def lookup_in(records: Records):
    def lookup(name: str, kind: str) -> list[str]:
        values = records.get((name, kind), [])
        if values is None:
            raise LookupUnanswered("the DNS does not answer: Timeout")
        return values

    return lookup


def test_a_domain_without_a_fault_is_well() -> None:
    assert {one.grade for one in found({})} == {OK}


@pytest.mark.parametrize(
    ("name", "kind", "values", "subject", "grade", "words"),
    [
        (HOST, "TXT", ["v=spf1 -all", "v=spf1 ~all"], "SPF", FAIL, "2 SPF records"),
        (HOST, "TXT", ["v=spf1 +all"], "SPF", FAIL, "lets everybody write"),
        (HOST, "TXT", ["v=spf1 all"], "SPF", FAIL, "lets everybody write"),
        (HOST, "TXT", ["v=spf1 " + "include:a.example " * 11 + "-all"], "SPF", FAIL, "11 lookups"),
        (HOST, "TXT", [], "SPF", OK, "needs none"),
        (HOST, "TXT", None, "SPF", UNKNOWN, "does not answer"),
        (SELECTOR, "TXT", [], "DKIM", FAIL, "leads to no key"),
        (SELECTOR, "TXT", ["v=DKIM1; p="], "DKIM", FAIL, "leads to no key"),
        (SELECTOR, "TXT", None, "DKIM", UNKNOWN, "does not answer"),
        ("_dmarc.example.com", "TXT", [], "DMARC", FAIL, "has a DMARC record"),
        ("_dmarc.example.com", "TXT", ["v=DMARC1; p=maybe"], "DMARC", FAIL, "no policy"),
        ("_dmarc.example.com", "TXT", ["v=DMARC1; p=none"] * 2, "DMARC", FAIL, "has a DMARC"),
        ("_dmarc.example.com", "TXT", ["v=DMARC1; psd=y; p=none"], "DMARC", FAIL, "has a DMARC"),
        ("_dmarc.example.com", "TXT", ["v=DMARC1; p=none"], "DMARC", WARN, "no reports"),
        ("_dmarc.example.com", "TXT", None, "DMARC", UNKNOWN, "does not answer"),
        (HOST, "MX", [], "MX", FAIL, "takes no mail"),
        (HOST, "MX", ["."], "MX", FAIL, "takes no mail"),
        (HOST, "MX", ["mail.example.com."], "MX", OK, "somebody must read"),
    ],
)
def test_each_fault_is_named(
    name: str, kind: str, values: list[str] | None, subject: str, grade: SetupGrade, words: str
) -> None:
    mine = [one for one in found({(name, kind): values}) if one.subject == subject]
    assert max(one.grade for one in mine) is grade
    assert any(words in one.sentence for one in mine)
    assert all(one.cure for one in mine if one.grade > UNKNOWN)


@pytest.mark.parametrize(
    ("signing", "record", "grade"),
    [
        ("example.com", "v=DMARC1; p=reject", OK),
        ("example.com", "v=DMARC1; p=reject; adkim=s", FAIL),
        (HOST, "v=DMARC1; p=reject; adkim=s", OK),
    ],
)
def test_a_signature_stands_for_the_sender_as_strictly_as_is_asked(
    signing: str, record: str, grade: SetupGrade
) -> None:
    signed = [replace(MINE, domain=signing)]
    said = found({("_dmarc.example.com", "TXT"): [record]}, signed)
    assert [one.grade for one in said if one.subject == "DMARC"] == [grade]


@pytest.mark.parametrize("domains", [[], [replace(MINE, valid=False)]])
def test_without_a_signature_nothing_is_aligned(domains: list[AccountDomain]) -> None:
    said = [one for one in found({}, domains) if one.subject == "DMARC"]
    assert [(one.grade, "not aligned" in one.sentence) for one in said] == [(FAIL, True)]


def test_a_web_host_has_an_address() -> None:
    well = lookup_in({(HOST, "AAAA"): ["2001:db8::1"]})
    assert [one.grade for one in address_findings(HOST, well)] == [OK]
    assert [one.grade for one in address_findings(HOST, lookup_in({}))] == [FAIL]
