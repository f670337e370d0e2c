"""A newsletter, an issue of made-up news, and a renderer with the shipped templates."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, time
from pathlib import Path

import pytest

from newsletter.core.brief import Brief, Picture, Source, Verification, brief_key
from newsletter.core.edition import Letter, compose, edition_of
from newsletter.core.issue import Issue, IssueEntry
from newsletter.core.publication import (
    ApprovalPolicy,
    Caps,
    Mailbox,
    Newsletter,
    Order,
    Timetable,
    Topic,
    Weekday,
)
from newsletter.rendering.renderer import IssueRenderer

TEMPLATES = Path(__file__).parents[2] / "templates"
VIEW_URL = "https://news.example.com/technology/2026-11-23/41?e=5f&p=1"
SUBSCRIBE_URL = "https://news.example.com/technology/subscribe"

_TOPICS = {
    "ai-models": "AI models",
    "chips": "Chips & compute",
    "security": "Security & privacy",
    "software": "Software & open source",
}

_STORIES = [
    {
        "title": "A 9-billion-parameter open model matches last year’s best on code review",
        "summary": "The Weft Foundation released its third open-weight model under a licence that "
        "allows commercial use. On two public code-review suites it finds as many planted faults "
        "as the strongest closed model of 2025, and it runs on one workstation card. The training "
        "data is described but not published, so the result cannot be rebuilt from scratch.",
        "why": "Teams that may not send source code to a third party now have a reviewer they can "
        "keep in-house.",
        "source": Source(
            name="Compute Ledger", url="https://ledger.example/open/weft-9b?ref=a&p=1"
        ),
        "minutes": 4,
        "topics": ("ai-models", "software"),
        "lead": True,
    },
    {
        "title": "Flaw in a popular TLS library lets a crafted certificate exhaust memory; "
        "patches for all supported branches are out",
        "summary": "Maintainers of the library fixed an unbounded allocation in certificate "
        "parsing. A single handshake can take a server down; no code execution has been shown. "
        "Distributions shipped the update overnight.",
        "why": "Every server that accepts client certificates is exposed until it restarts with "
        "the fixed version.",
        "source": Source(name="Patchwork Weekly", url="https://patchwork.example/tls-memory"),
        "minutes": 3,
        "topics": ("security",),
        "lead": True,
    },
    {
        "title": "Foundry starts sampling chips with power delivered from the back of the wafer",
        "summary": "First customers have silicon from a process that moves power lines behind the "
        "transistors. The foundry claims 8 % more speed at equal power. Two customers confirmed "
        "receiving samples; the speed figure comes from the foundry alone.",
        "why": "",
        "source": Source(name="Silicon Almanac", url="https://almanac.example/2026/backside"),
        "minutes": 6,
        "topics": ("chips",),
        "verification": Verification.PARTIAL,
        "lead": True,
    },
    {
        "title": "Benchmark group retires its best-known language test after leaks",
        "summary": "Half of the questions were found word for word in public training sets. A "
        "successor with a hidden half opens in January.",
        "why": "Scores from before today say less than they seemed to.",
        "source": Source(name="Compute Ledger", url="https://ledger.example/benchmarks/retired"),
        "minutes": 2,
        "topics": ("ai-models",),
    },
    {
        "title": "Speech model for 40 under-served languages trained on public radio archives",
        "summary": "Broadcasters in nine countries opened their archives under one agreement. "
        "Word error rates fall by a third for Faroese, Māori and Tigrinya (ትግርኛ).",
        "source": Source(name="Public Airwaves", url="https://airwaves.example/sprachmodelle/ü"),
        "minutes": 5,
        "topics": ("ai-models",),
        "verification": Verification.PARTIAL,
    },
    {
        "title": "Data centre heat will warm 6,000 homes from next winter",
        "summary": "The city council signed a 20-year contract with an operator whose halls reject "
        "heat at 45 °C. Pipes are laid; pumps arrive in spring.",
        "source": Source(name="Grid & Rack", url="https://gridrack.example/heat"),
        "minutes": 3,
        "topics": ("chips",),
    },
    {
        "title": "Passkeys overtake passwords for new sign-ups at a large webmail provider",
        "summary": "The provider says 54 % of accounts opened in October use a passkey alone. "
        "Account-recovery requests fell by a fifth in the same month.",
        "why": "It is the first large consumer service to report a majority.",
        "source": Source(
            name="Patchwork Weekly", url="https://patchwork.example/passkeys#majority"
        ),
        "minutes": 2,
        "topics": ("security",),
    },
    {
        "title": "The long-term kernel gets two more years",
        "summary": "Three device makers will pay for back-ports until 2031. The extension covers "
        "security fixes only.",
        "source": Source(name="The Merge Window", url="https://mergewindow.example/lts"),
        "minutes": 1,
        "topics": ("software",),
    },
    {
        "title": "“No surprises”: a database freezes features for a year to mend what it has",
        "summary": "The maintainers will spend 2027 on the 400 oldest open faults, at <em> of "
        "their own users’ request & expense.",
        "source": Source(name="The Merge Window", url="https://mergewindow.example/freeze"),
        "minutes": 4,
        "topics": ("software",),
    },
]


def entry(brief_id: int, *, lead: bool = False, **fields: object) -> IssueEntry:
    """An entry of the sample issue's kind; `fields` are the brief's."""
    defaults = {"summary": "So it is.", "verification": Verification.VERIFIED, "topics": ("chips",)}
    fields = {**defaults, **fields}
    brief = Brief(key=brief_key(str(fields["title"])), pillar="Technology", **fields)
    return IssueEntry(brief_id=brief_id, revision=1, brief=brief, topics=brief.topics, lead=lead)


@pytest.fixture(scope="session")
def newsletter() -> Newsletter:
    return Newsletter(
        slug="technology",
        name="Technology Daily",
        pillar="Technology",
        tagline="Verified AI intelligence, daily. No hype, no speculation.",
        language="en",
        topics=tuple(
            Topic(slug=slug, title=title, blurb="", keywords=()) for slug, title in _TOPICS.items()
        ),
        sender=Mailbox(email="daily@news.example.com", name="Technology Daily"),
        reply_to=Mailbox(email="editors@news.example.com", name="Technology Daily"),
        list_id="technology.news.example.com",
        unsubscribe_email="leave@news.example.com",
        postal_address="Technology Daily, 1 Example Street, Example City 00000",
        timetable=Timetable(
            zone="Europe/Berlin",
            days=(Weekday.MON,),
            assemble_at=time(5, 30),
            send_at=time(6, 10),
        ),
        minimum_verification=Verification.PARTIAL,
        caps=Caps(briefs=14, briefs_per_topic=5, leads=3, age_hours=36),
        order=Order.IMPORTANCE,
        approval=ApprovalPolicy.AUTOMATIC,
    )


@pytest.fixture(scope="session")
def issue() -> Issue:
    entries = tuple(entry(place, **story) for place, story in enumerate(_STORIES, start=1))
    return Issue(newsletter="technology", date=date(2026, 11, 23), number=41, entries=entries)


@pytest.fixture(scope="session")
def full_issue(issue: Issue) -> Issue:
    """As many briefs as an issue may hold: fourteen."""
    more = [replace(one, brief_id=one.brief_id + 100, lead=False) for one in issue.entries[:5]]
    return replace(issue, entries=(*issue.entries, *more))


@pytest.fixture(scope="session")
def pictured(issue: Issue) -> Issue:
    """The sample issue with a picture of each story; only leads print theirs."""
    url = "https://img.example.com/p.png"
    entries = (
        replace(one, brief=replace(one.brief, picture=_picture(f"{url}?{one.brief_id}")))
        for one in issue.entries
    )
    return replace(issue, entries=tuple(entries))


def _picture(url: str) -> Picture:
    return Picture(url=url, alt="A hall of computers", width=400)


@pytest.fixture(scope="session")
def renderer() -> IssueRenderer:
    return IssueRenderer(TEMPLATES)


@pytest.fixture(scope="session")
def _copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("spoiled") / "templates"
    shutil.copytree(TEMPLATES / "issue", copy / "issue")
    return copy


@pytest.fixture(scope="session")
def spoiled(_copied: Path) -> IssueRenderer:
    """The renderer of `templates`: it reads again only what a test has spoiled."""
    return IssueRenderer(_copied)


@pytest.fixture
def templates(_copied: Path) -> Iterator[Path]:
    """A copy of the shipped templates, to spoil; the next test finds it whole."""
    yield _copied
    for shipped in (TEMPLATES / "issue").rglob("*.*"):
        copy = _copied / shipped.relative_to(TEMPLATES)
        if not copy.exists() or copy.read_bytes() != shipped.read_bytes():
            copy.write_bytes(shipped.read_bytes())


@pytest.fixture(scope="session")
def letter(renderer: IssueRenderer, newsletter: Newsletter, issue: Issue) -> Letter:
    """The letter of the whole sample issue."""
    whole = edition_of(issue, (one.brief_id for one in issue.entries))
    galley = renderer.set(newsletter, issue)
    return compose(galley, whole, view_url=VIEW_URL, subscribe_url=SUBSCRIBE_URL)
