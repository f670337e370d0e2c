"""The timetable in a newsletter's file: read as it stands, refused where it cannot be kept."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from newsletter.core.publication import Timetable
from newsletter.errors import ConfigurationError
from newsletter.settings import load_settings, shipped


def timetable(folder: Path, *changes: tuple[str, str]) -> Timetable:
    """Return the shipped timetable, changed as said."""
    config = shutil.copytree(shipped("config"), folder / "config")
    path = config / "newsletters/technology.toml"
    content = path.read_text()
    for old, new in changes:
        assert content.count(old) == 1
        content = content.replace(old, new)
    path.write_text(content)
    return load_settings(config).newsletter("technology").timetable


def test_holidays_freshness_and_reader_time_are_read(tmp_path: Path):
    found = timetable(
        tmp_path,
        ("holidays = []", "holidays = [2026-12-25, 2027-01-01]"),
        ("catch_up_hours = 12", "catch_up_hours = 3"),
        ("reader_time = false", "reader_time = true"),
    )

    assert found.holidays == (date(2026, 12, 25), date(2027, 1, 1))
    assert (found.catch_up_hours, found.reader_time) == (3, True)


def test_they_may_be_left_out(tmp_path: Path):
    found = timetable(
        tmp_path, ("holidays = []", ""), ("catch_up_hours = 12", ""), ("reader_time = false", "")
    )

    assert (found.holidays, found.catch_up_hours, found.reader_time) == ((), 12, False)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("holidays = []", 'holidays = ["25 December"]', "timetable.holidays.0: "),
        ("holidays = []", 'holiday = ["2026-12-25"]', "timetable.holiday: no such key"),
        ("catch_up_hours = 12", "catch_up_hours = 0", "catch_up_hours: must be between 1 and 24"),
        ("catch_up_hours = 12", "catch_up_hours = 25", "catch_up_hours: must be between 1 and 24"),
        ("send_at = 06:10:00", "send_at = 05:00:00", "timetable.send_at: an issue cannot be sent"),
        ("send_at = 06:10:00", 'send_at = "06:10:00Z"', "must not have a UTC offset"),
        ("reader_time = false", "reader_time = 7", "timetable.reader_time: "),
        ('"America/New_York"', '"America/Gotham"', "'America/Gotham' is not an IANA time zone"),
    ],
)
def test_what_cannot_be_kept_is_refused(tmp_path: Path, old: str, new: str, words: str):
    with pytest.raises(ConfigurationError) as refused:
        timetable(tmp_path, (old, new))
    assert words in str(refused.value)
