"""The script by which an operator runs a command as the service runs it."""

import os
import re
import subprocess
from pathlib import Path

from newsletter.settings import shipped

DEPLOY = shipped("config") / "deploy"
SCRIPT = DEPLOY / "bin" / "newsletter"
#: Stands for the program: it says what it was given, and where from.
_PROGRAM = (
    '#!/bin/sh\nprintf "%s\\n" "$@"\nenv | grep -E "^(NEWSLETTER|SENDGRID)_" | sort\nexec pwd\n'
)
_RUNUSER = '#!/bin/sh\necho "as $2"; shift 3\nexec "$@"\n'  # nobody changes the user in a test


def executable(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_a_command_by_hand_has_the_services_user_settings_and_state(tmp_path: Path) -> None:
    program = executable(tmp_path / "program", _PROGRAM)
    executable(tmp_path / "runuser", _RUNUSER)
    secrets = tmp_path / "newsletter.env"
    secrets.write_text("SENDGRID_API_KEY='SG.a key'\n#NEWSLETTER_BACKUPS=/backup\n")
    text = SCRIPT.read_text().replace("/etc/newsletter/newsletter.env", str(secrets))
    script = executable(
        tmp_path / "newsletter", text.replace("/opt/newsletter/bin/newsletter", str(program))
    )
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    said = subprocess.run(
        [script, "why", "a reader@example.com"], env=path, cwd=tmp_path, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    common = (DEPLOY / "systemd" / "newsletter-.service.d" / "common.conf").read_text()
    places = sorted(re.findall(r"NEWSLETTER_\w+=\S+", common))
    assert said.stdout.splitlines() == [
        "as newsletter", "why", "a reader@example.com", *places, "SENDGRID_API_KEY=SG.a key",
        str(tmp_path),
    ]  # fmt: skip
