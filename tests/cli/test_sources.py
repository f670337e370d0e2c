"""`newsletter sources`: asked for at the command line, with settings of its own."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.settings import load_settings
from tests.cli.conftest import CommandLine
from tests.sources import (
    Site,
    post,
    posts,
)

pytestmark = pytest.mark.postgres


@pytest.fixture
def cli(
    tmp_path: Path,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> CommandLine:
    cli = CommandLine(tmp_path, database_url, monkeypatch, capsys)
    with (cli.config / "service.toml").open("a") as service:
        service.write('\n[polling]\nallow_hosts = ["127.0.0.1"]\n')
    return cli


def add_sources(cli: CommandLine, toml: str) -> None:
    with cli.newsletter.open("a") as newsletter:
        newsletter.write(toml)


def test_sources_are_polled_and_listed(cli: CommandLine, site: Site) -> None:
    now = datetime.now(UTC).isoformat()  # the clock is the real one
    dated = {"date_gmt": now, "modified_gmt": now}
    empty = {"title": None, "excerpt": None, "content": None}
    site.serve("/wp-json/wp/v2/posts", posts(post(1, **dated), post(2, **dated, **empty)))
    add_sources(
        cli,
        f"""
        [[sources]]
        slug = "hub"
        kind = "wordpress"
        url = "{site.url}"
        [[sources]]
        slug = "wire"
        kind = "feed"
        url = "{site.url}/missing?token=sesame"
        """,
    )
    [never, _] = cli.done("sources", "list")
    assert (never["health"]["state"], never["polled_at"]) == ("unpolled", None)

    said = cli.run("sources", "poll", "--json")
    hub, wire = said.data
    assert said.code == 1, "one of them failed"
    assert (hub["result"], hub["tally"]["new"], hub["tally"]["refused"]) == ("read", 1, 1)
    assert hub["refused"] == [
        {
            "item": "item 2 https://hub.example.com/2",
            "reason": "title is missing, and so is its text",
        }
    ]
    assert (wire["result"], wire["health"]["state"]) == ("failed", "failing")
    assert wire["health"]["error"] == "127.0.0.1 answered 404"

    listed = cli.run("sources", "list").out + cli.run("sources", "poll").out
    for words in ("1 new", "1 unchanged", "title is missing, and", "answered 404", "failing"):
        assert words in listed
    assert "sesame" not in listed + said.out


def test_a_newsletter_without_sources_says_so(cli: CommandLine) -> None:
    assert "polls no sources" in cli.run("sources", "list").out
    assert cli.done("sources", "poll") == []


def test_the_commented_example_is_sound(cli: CommandLine) -> None:
    text = cli.newsletter.read_text()
    start = text.index("# [[sources]]")
    example = "\n".join(line.removeprefix("# ") for line in text[start:].splitlines())
    cli.newsletter.write_text(text[:start] + example)
    [source] = load_settings(cli.config).newsletter("technology").sources
    assert (source.slug, source.fields.why) == ("hub", "acf.why_it_matters")
    assert source.topics == {"semiconductors": "chips"}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('slug = "wire"', 'slag = "wire"', "sources.0.slag: no such key"),
        ('kind = "feed"', 'kind = "gopher"', "sources.0.kind: "),
        ("[sources.fields]", "[sources.field]", "sources.0.field: no such key"),
        ('why = "brief_why"', 'wye = "brief_why"', "sources.0.fields.wye: no such key"),
        ('importance = "H"', 'importance = "X"', "sources.0.defaults.importance: "),
        ('"policy"', '"polity"', "sources.0.topics: there is no topic 'polity'"),
        ("https://wire", "https://user:sesame@wire", "sources.0.url: must not carry"),
    ],
)
def test_a_slip_in_a_source_is_refused_with_its_key(
    cli: CommandLine, old: str, new: str, words: str
) -> None:
    toml = """
        [[sources]]
        slug = "wire"
        kind = "feed"
        url = "https://wire.example.org/feed"
        [sources.fields]
        why = "brief_why"
        [sources.defaults]
        importance = "H"
        [sources.topics]
        law = "policy"
        """
    add_sources(cli, toml.replace(old, new))
    said = cli.run("sources", "list")
    assert said.code == 2
    assert words in said.err
    assert "sesame" not in said.err
