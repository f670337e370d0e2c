"""The command line in this very process, on a database, settings and templates of its own."""

import json
import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from newsletter.cli import main
from newsletter.sandbox.server import Sandbox, SandboxConfig
from newsletter.settings import shipped

READER = "reader@example.com"
BRIEF = {
    "title": "A foundry halves the water it needs for a wafer",
    "pillar": "Technology",
    "summary": "A plant reuses its rinse water and so needs half as much from the river.",
    "verification": "verified",
    "topics": ["chips"],
    "source": "Example Wire",
    "source_url": "https://example.org/foundry-water",
}


@dataclass(frozen=True)
class Said:
    """The result of a command."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


class CommandLine:
    """The command line, with a folder and an environment of its own."""

    def __init__(
        self,
        folder: Path,
        database_url: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self.folder, self.database_url = folder, database_url
        self._monkeypatch, self._capsys = monkeypatch, capsys
        self.config, self.templates = folder / "config", folder / "templates"
        shutil.copytree(shipped("config"), self.config)
        with (self.config / "service.toml").open("a") as service:
            service.write("\n[processes]\nniceness = 0\n")  # the tests' own process goes on
        self.newsletter = self.config / "newsletters" / "technology.toml"
        self.environment(
            NEWSLETTER_DATABASE_URL=database_url,
            NEWSLETTER_CONFIG=str(self.config),
            NEWSLETTER_VAR=str(folder / "var"),
        )

    def environment(self, **values: str) -> None:
        for name, value in values.items():
            self._monkeypatch.setenv(name, value)

    def run(self, *arguments: str) -> Said:
        """Run a command as `newsletter …` would."""
        self._capsys.readouterr()
        root = logging.getLogger()
        handlers, level = root.handlers, root.level
        try:
            with pytest.raises(SystemExit) as ended:
                main(arguments)
        finally:  # a command logs to the stderr of this moment
            root.handlers = handlers
            root.setLevel(level)
        out, err = self._capsys.readouterr()
        return Said(int(ended.value.code or 0), out, err)

    def done(self, *arguments: str) -> Any:
        """Run a command that must succeed; return its JSON."""
        said = self.run(*arguments, "--json")
        assert (said.code, said.err) == (0, ""), said
        return said.data

    def refused(self, *arguments: str, code: int = 2) -> str:
        """Run a command that must fail with one sentence and change nothing; return it."""
        before = self.rows()
        said = self.run(*arguments)
        assert said.code == code, said
        assert said.err.startswith("error: "), said
        assert said.err.count("\n") == 1, said
        assert "Traceback" not in said.err
        assert self.rows() == before
        return said.err.removeprefix("error: ").strip()

    def rows(self) -> dict[str, int]:
        """Count the rows of every table."""
        names = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        with psycopg.connect(self.database_url) as connection:
            tables = [name for (name,) in connection.execute(names)]
            counts = "SELECT " + ", ".join(f'(SELECT count(*) FROM "{t}")' for t in tables)
            return dict(zip(tables, connection.execute(counts).fetchone() or (), strict=True))

    def file(self, name: str, content: str | bytes) -> str:
        """Write a file, and return its path as it would be typed."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    def add_brief(self, **changes: Any) -> int:
        path = self.file("brief.json", json.dumps(BRIEF | changes))
        return int(self.done("briefs", "add", path)["received"][0]["id"])

    def subscribe(self, *rows: str, newsletter: str = "technology") -> None:
        path = self.file("list.csv", "\n".join(["email,name,topics,timezone", *rows, ""]))
        self.done("subscribers", "import", path, "--newsletter", newsletter, "--consent", "a test")

    def configure(self, old: str, new: str) -> None:
        """Change a line of the newsletter's file."""
        text = self.newsletter.read_text()
        assert text.count(old) == 1
        self.newsletter.write_text(text.replace(old, new))


@pytest.fixture
def cli(
    tmp_path: Path,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> CommandLine:
    """A command line without a key: what needs none must work."""
    return CommandLine(tmp_path, database_url, monkeypatch, capsys)


@pytest.fixture(scope="session")
def one_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox that accepts one key and posts no events."""
    config = SandboxConfig(data=tmp_path_factory.mktemp("sandbox"), keys=("SG.right",))
    with Sandbox(config) as running:
        yield running


@pytest.fixture
def sandbox(one_sandbox: Sandbox) -> Sandbox:
    """The sandbox, cleared."""
    one_sandbox.clear()
    return one_sandbox


@pytest.fixture
def sending_cli(cli: CommandLine, sandbox: Sandbox) -> CommandLine:
    """A command line with the sandbox's key, a brief and two subscribers."""
    cli.environment(NEWSLETTER_SENDGRID_HOST=sandbox.url, SENDGRID_API_KEY="SG.right")
    cli.add_brief()
    cli.subscribe(f"{READER},,chips,", "robots@example.com,,robotics,")
    return cli
