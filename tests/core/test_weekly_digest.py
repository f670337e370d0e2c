"""The digest of a newsletter: how settings make it, and how its letter speaks of a week."""

import shutil
from datetime import date, time
from itertools import combinations
from pathlib import Path

import pytest

from newsletter.core.edition import compose, edition_of
from newsletter.core.issue import sample_issue
from newsletter.core.publication import Order, Readers, Weekday
from newsletter.errors import ConfigurationError
from newsletter.rendering.page import page_of, week_written_out
from newsletter.rendering.renderer import IssueRenderer
from newsletter.settings import load_settings, shipped
from subscribers.model import Frequency
from tests.settings import TECHNOLOGY, digests

[DIGEST] = digests(TECHNOLOGY)


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    """The shipped newsletter without its digest, to be added to."""
    config = shutil.copytree(shipped("config"), tmp_path / "config")
    path = config / "newsletters/technology.toml"
    before, _, rest = path.read_text().partition("[weekly]")
    path.write_text(before + rest[rest.index("\n[caps]") :])
    return path


def add(toml: Path, lines: str) -> None:
    toml.write_text(f"{toml.read_text()}\n{lines}\n")


def test_without_a_weekly_there_is_no_digest(toml: Path):
    assert list(load_settings(toml.parent.parent).newsletters) == ["technology"]


def test_a_day_is_enough_and_the_rest_is_the_newsletters_own(toml: Path):
    add(toml, '[weekly]\nday = "sun"')
    main, digest = load_settings(toml.parent.parent).newsletters.values()

    assert digest.slug == "technology-weekly"
    assert (digest.name, digest.tagline) == ("The week in Technology", main.tagline)
    assert digest.timetable.days == (Weekday.SUN,)
    assert (digest.timetable.assemble_at, digest.timetable.send_at) == (time(8), time(9))
    assert (digest.topics, digest.sender, digest.list_id) == (
        main.topics,
        main.sender,
        main.list_id,
    )
    assert (digest.order, digest.sources, digest.weekly) == (Order.IMPORTANCE, (), None)
    assert main.readers == Readers(newsletter="technology")
    assert digest.readers == Readers(newsletter="technology", frequency=Frequency.WEEKLY)


def test_a_digest_keeps_no_holidays(toml: Path):
    toml.write_text(toml.read_text().replace("holidays = []", "holidays = [2026-12-26]"))
    add(toml, '[weekly]\nday = "sat"')
    digest = load_settings(toml.parent.parent).newsletter("technology-weekly")
    assert digest.timetable.holidays == ()


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("[weekly]\nsend_at = 09:00:00", "weekly.day: this key is missing"),
        ('[weekly]\nday = "someday"', "weekly.day: "),
        ('[weekly]\nday = "sat"\nhour = 9', "weekly.hour: no such key"),
        ('[weekly]\nday = "sat"\nsend_at = 07:00:00', "weekly.send_at: an issue cannot be sent"),
        ('[weekly]\nday = "sat"\nbriefs = 0', "weekly: briefs and briefs_per_topic must be"),
        ("[sunset]\nanswer_days = 7", "sunset.after_days: this key is missing"),
        ("[sunset]\nafter_days = 0", "sunset: after_days, answer_days and letters must be"),
    ],
)
def test_a_slip_is_named_with_its_place(toml: Path, lines: str, says: str):
    add(toml, lines)
    with pytest.raises(ConfigurationError) as refused:
        load_settings(toml.parent.parent)
    assert f"{toml}: {says}" in str(refused.value)


def test_no_file_makes_a_digest_by_hand_or_takes_its_name(toml: Path):
    whole = toml.read_text()
    toml.write_text(f'week_of = "technology"\n{whole}')
    with pytest.raises(ConfigurationError, match="week_of: no such key"):
        load_settings(toml.parent.parent)

    toml.write_text(whole + '\n[weekly]\nday = "sat"\n')
    other = whole.replace('pillar = "Technology"', 'pillar = "Science"')
    toml.with_stem("technology-weekly").write_text(other)
    with pytest.raises(ConfigurationError, match="there is a newsletter technology-weekly already"):
        load_settings(toml.parent.parent)


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (date(2026, 11, 28), "22–28 November 2026"),
        (date(2026, 12, 5), "29 November – 5 December 2026"),
        (date(2027, 1, 2), "27 December 2026 – 2 January 2027"),
    ],
)
def test_a_week_is_said_from_its_first_day_to_its_last(last: date, said: str):
    assert week_written_out(last) == said


def test_the_letter_speaks_of_a_week_and_never_of_today():
    page = page_of(DIGEST, sample_issue(DIGEST))
    assert (page.period, page.date) == ("this week", "26 December 2025 – 1 January 2026")
    issue = sample_issue(DIGEST)
    renderer = IssueRenderer(shipped("templates"))
    galley = renderer.set(DIGEST, issue)
    whole = edition_of(issue, (entry.brief_id for entry in issue.entries))
    letter = compose(galley, whole, view_url="https://news.example.com/w")
    for part in (letter.html, letter.text):
        assert "all for this week." in part
        assert "today" not in part


def test_a_digest_is_cut_as_it_would_be_rendered():
    issue = sample_issue(DIGEST)
    renderer = IssueRenderer(shipped("templates"))
    galley = renderer.set(DIGEST, issue)
    ids = [entry.brief_id for entry in issue.entries]
    for size in (1, len(ids) - 1, len(ids)):
        for chosen in combinations(ids, size):
            edition = edition_of(issue, chosen)
            direct = renderer.direct(
                DIGEST, issue.only(chosen), edition, view_url="https://x.example"
            )
            assert compose(galley, edition, view_url="https://x.example") == direct
