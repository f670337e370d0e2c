"""`[signup]` may be left out; what cannot be is said with its place."""

import shutil
from pathlib import Path

import pytest

from newsletter.core.signup import SignUpRules
from newsletter.errors import ConfigurationError
from newsletter.settings import load_settings, shipped


def _settings(folder: Path, signup: str) -> SignUpRules:
    config = folder / "config"
    shutil.copytree(shipped("config"), config)
    path = config / "newsletters" / "technology.toml"
    before, _, after = path.read_text().partition("[signup]")
    path.write_text(before + signup + "\n[caps]" + after.partition("[caps]")[2])
    return load_settings(config).newsletter("technology").signup


def test_what_is_shipped_is_what_holds_without_the_table(tmp_path: Path):
    assert _settings(tmp_path, "") == load_settings().newsletter("technology").signup


@pytest.mark.parametrize(
    "line, options",
    [
        ("confirm_hours = 0", "signup.confirm_hours: must be 1 or more"),
        ("unconfirmed_days = 2", "cannot be deleted before its link has expired"),
        ('allow_origins = ["https://example.com/"]', "is not an origin like"),
        ("opened = true", "signup.opened: no such key"),
    ],
)
def test_what_cannot_be_is_named(tmp_path: Path, line: str, options: str):
    with pytest.raises(ConfigurationError, match=options):
        _settings(tmp_path, f"[signup]\n{line}")
