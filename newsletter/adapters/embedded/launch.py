"""Starting the server's process."""

import os
import subprocess
from contextlib import suppress
from pathlib import Path

import psutil

from newsletter.adapters.embedded import record
from newsletter.adapters.embedded.accounts import Account
from newsletter.adapters.embedded.cluster import data_argument, plain_environment
from newsletter.adapters.embedded.locks import Patience, take
from newsletter.adapters.embedded.processes import is_postgres_in, start_mark
from newsletter.adapters.embedded.sockets import PORT
from newsletter.errors import DatabaseUnreachable

Process = subprocess.Popen[bytes]


def clear_stale(data: Path) -> None:
    """Remove the lock file of a server that died, where its number means another process by now.

    PostgreSQL removes the file itself where the number means none. DatabaseUnreachable if a server
    that was not started here runs on these data.
    """
    lines = record.postmaster_file(data)
    if not lines or not lines[0].isdecimal() or not psutil.pid_exists(int(lines[0])):
        return
    if is_postgres_in(int(lines[0]), data):
        raise DatabaseUnreachable(
            f"a PostgreSQL that was not started here (process {lines[0]}) runs on {data}: "
            "end it first"
        )
    (data / "postmaster.pid").unlink(missing_ok=True)


def launch(
    programs: Path, data: Path, account: Account, *, lock: int, log: int, socket: Path
) -> Process:
    """Start the server and write its record; `lock` is held by it from here on, and `log` its."""
    patience = Patience(lambda _: None)
    while not take(lock):  # at most a look at whether it is held, which takes an instant
        patience.rest()
    record.clear(lock)
    try:
        process = subprocess.Popen(
            _command(programs, data, socket),
            cwd=data,
            env=plain_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(lock,),
            start_new_session=True,  # Ctrl-C at a terminal is not meant for it
            user=account.as_user,
            group=account.as_group,
            extra_groups=account.as_groups,
        )
    except OSError as error:
        raise DatabaseUnreachable(
            f"the embedded PostgreSQL in {data} cannot be started: {error.strerror}"
        ) from error
    mark = start_mark(process.pid) or ""
    with suppress(OSError):  # on a full disk the server's own file says it, if it comes to that
        record.write(lock, record.Record(process.pid, mark, str(socket)))
    return process


def leave_running(process: Process) -> None:
    """Let a server outlive the process that started it: others use it."""
    process.returncode = process.returncode or 0  # nobody is to wait for it


def _command(programs: Path, data: Path, socket: Path) -> list[str]:
    settings = {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": f'"{socket}"',
        "unix_socket_permissions": "0700",
        "hba_file": f"{data_argument(data)}/pg_hba.conf",
        "ident_file": f"{data_argument(data)}/pg_ident.conf",
        "logging_collector": "off",
        "log_destination": "stderr",
    }
    chosen = (part for name, value in settings.items() for part in ("-c", f"{name}={value}"))
    return [os.fspath(programs / "postgres"), "-D", data_argument(data), *chosen]
