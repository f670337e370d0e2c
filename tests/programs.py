"""Programs of the system that some tests need; where one is missing, they skip with a loud line."""

import shutil

import pytest

NOT_TRIED = "NOT TRIED: "  #: begins the reason of a skip that the summary repeats in red


def program(name: str, package: str) -> str:
    """Return a program's path; skip the test where it is not installed."""
    found = shutil.which(name, path=None) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{NOT_TRIED}{name} is not installed (on Debian: apt-get install {package})")
    return found
