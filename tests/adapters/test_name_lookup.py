"""Names are looked up over the wire: what is there, what is not, and servers that do not answer."""

import pytest

from newsletter.adapters.name_lookup import NameLookup
from newsletter.errors import ConfigurationError, LookupUnanswered
from tests.name_server import BROKEN, SILENT, Records, name_server

RECORDS: Records = {
    ("news.example.com", "TXT"): [f'"v=DKIM1; p={"A" * 200}" "{"B" * 100}"'],
    ("news.example.com", "MX"): ["10 mx.sendgrid.net."],
    ("news.example.com", "A"): ["192.0.2.7"],
    ("silent.example.com", "A"): SILENT,
    ("broken.example.com", "A"): BROKEN,
}


@pytest.mark.parametrize(
    ("name", "kind", "values"),
    [
        ("news.example.com", "TXT", (f"v=DKIM1; p={'A' * 200}{'B' * 100}",)),
        ("news.example.com", "MX", ("mx.sendgrid.net.",)),
        ("news.example.com", "A", ("192.0.2.7",)),
        ("news.example.com", "AAAA", ()),
        ("nothing.example.com", "A", ()),
    ],
)
def test_values_are_as_they_were_published(name: str, kind: str, values: tuple[str, ...]) -> None:
    with name_server(RECORDS) as server:
        assert NameLookup([server])(name, kind) == values


@pytest.mark.parametrize("name", ["silent.example.com", "broken.example.com"])
def test_no_answer_is_not_taken_for_nothing(name: str) -> None:
    with name_server(RECORDS) as server, pytest.raises(LookupUnanswered):
        NameLookup([server], seconds=0.5)(name, "A")


@pytest.mark.parametrize("server", ["dns.example.com", "127.0.0.1:x", ""])
def test_what_is_no_server_is_said(server: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a name server"):
        NameLookup([server])
