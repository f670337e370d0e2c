"""The walls between the packages hold, and would be seen to fall."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
RULES = set((ROOT / "subscribers" / "rules").glob("[!_]*.py"))  # protected as a package

#: Besides services and models: what a command line reads, writes and says of their arguments.
ENTRANCES = {
    "subscribers.bulk.stored_rows",
    "subscribers.db.read_once",
    "subscribers.lists.purge",
    "subscribers.segments.filter_reader",
    "subscribers.segments.filter_sentence",
}
#: A trespass for each wall: the module that commits it, what it imports, the contract that breaks.
TRESPASSES = [
    ("subscribers/rules/consent.py", "newsletter.errors", "subscribers never imports newsletter"),
    ("newsletter/core/brief.py", "sqlmodel", "The core is pure"),
    ("newsletter/core/galley.py", "newsletter.ports", "points inward, to the core"),
    ("newsletter/services/explain.py", "procrastinate", "Services name stores and ports"),
    ("newsletter/adapters/eml.py", "newsletter.services.intake", "they never call services"),
    ("newsletter/rendering/mjml.py", "time", "Rendering is text in, text out"),
    ("newsletter/web/public/links.py", "sendgrid", "may import sendgrid"),
    ("newsletter/web/webhook.py", "newsletter.sandbox", "container wires knows of the sandbox"),
    ("newsletter/sandbox/rules.py", "newsletter.core.brief", "by SendGrid's rules alone"),
    ("newsletter/scheduler.py", "newsletter.settings", "read settings"),
    ("newsletter/adapters/jobs.py", "newsletter.stores.tables", "use their table rows"),
    (
        "newsletter/services/event_intake.py",
        "subscribers.lists.csv_reader",
        "enters subscribers by",
    ),
    ("newsletter/cli/why.py", "subscribers.db.transaction", "share the database idiom"),
    ("newsletter/web/console/today.py", "newsletter.stores.issues", "never by a store"),
    ("subscribers/db/tables.py", "subscribers.lists.service", "points inward, to the model"),
]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [command, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_walls_hold():
    kept = lint_imports(ROOT)
    assert kept.returncode == 0, kept.stdout


def test_a_trespass_at_any_wall_is_seen(tmp_path: Path):
    for name in ("newsletter", "subscribers"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for module, imported, _ in TRESPASSES:
        path = tmp_path / module
        path.write_text(f"{path.read_text()}\n\ndef _trespass() -> None:\n    import {imported}\n")

    broken = [line for line in lint_imports(tmp_path).stdout.splitlines() if "BROKEN" in line]

    for module, imported, contract in TRESPASSES:
        assert any(contract in line for line in broken), f"{module} may import {imported}"


def test_a_module_without_a_place_is_seen(tmp_path: Path):
    for name in ("newsletter", "subscribers"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "newsletter" / "utils.py").write_text('"""Odds and ends."""\n')

    assert lint_imports(tmp_path).returncode != 0


def test_every_module_of_subscribers_is_an_entrance_or_protected():
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    protected = {
        module
        for contract in lint["contracts"]
        if contract["id"] in ("subscribers-entrances", "database-idiom")
        for module in contract["protected_modules"]
    }
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "subscribers").glob("*/*.py")
        if path.stem not in ("__init__", "service", "model", "filters")
    }
    assert modules - protected == ENTRANCES | {f"subscribers.rules.{one.stem}" for one in RULES}
