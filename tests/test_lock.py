"""The lock: each package in one version, with hashes, and all that `pyproject.toml` asks for."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
BLOCKS = re.split(r"\n(?=\S)", (ROOT / "requirements.lock").read_text().strip())
PINNED = {
    canonicalize_name(name): version
    for name, version in (re.match(r"([\w.-]+)==([^\s;]+)", one).groups() for one in BLOCKS)  # type: ignore[union-attr]
}


def test_each_package_has_one_version_and_its_hashes() -> None:
    assert [one for one in BLOCKS if not re.search(r"--hash=sha256:[0-9a-f]{64}", one)] == []
    assert "://" not in "".join(BLOCKS)


def test_the_lock_holds_all_that_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    asked += project["project"]["optional-dependencies"]["oidc"]
    wanted = [Requirement(one) for one in asked]
    wrong = [
        str(one)
        for one in wanted
        if not one.specifier.contains(PINNED.get(canonicalize_name(one.name), "0"))
    ]
    assert wrong == []
