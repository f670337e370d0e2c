"""The embedded server of one data folder: started, shared, revived, and stopped by its last user.

Every process that uses it holds a shared lock; who leaves and finds no other holder stops it. A
user that is killed loses its lock too: the server runs on, the next user takes it over, and stops
it in turn.
"""

import atexit
import logging
import os
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL

from newsletter.adapters.embedded import locks, record, sockets
from newsletter.adapters.embedded.accounts import Account, server_account
from newsletter.adapters.embedded.cluster import ROLE, admit, make_cluster
from newsletter.adapters.embedded.launch import Process, clear_stale, launch, leave_running
from newsletter.adapters.embedded.locks import Patience
from newsletter.adapters.embedded.ownership import check_owner
from newsletter.adapters.embedded.processes import send_signal
from newsletter.adapters.embedded.programs import programs_for
from newsletter.adapters.embedded.server_log import ServerLog
from newsletter.errors import DatabaseUnreachable

_STOP_SECONDS = 60  #: for connections to be ended and everything to be written
_log = logging.getLogger(__name__)


class EmbeddedServer:
    """A PostgreSQL in a folder, shared by the processes of one user."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._gate, self._users, self._record = map(self._beside, ("lock", "users", "server"))
        self._server_log = ServerLog(self._beside("log"))
        self._process: Process | None = None
        self._lease: tuple[int, int] | None = None  #: handle, and the process that opened it
        self._mutex = threading.Lock()

    def start(self) -> URL:
        """Start the server unless it runs, become one of its users, and return where it is."""
        try:
            return self._started()
        except OSError as error:
            place, reason = error.filename or self.folder, error.strerror or error
            raise DatabaseUnreachable(
                f"the embedded PostgreSQL in {self.folder} cannot be used: {place}: {reason}"
            ) from error

    def _started(self) -> URL:
        account = server_account(create=False)
        check_owner(self.folder, account)
        account = account or server_account(create=True)
        assert account
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with self._mutex, locks.held(self._gate, self._say_gate):
            if self._lease is None:
                self._lease = self._leased()
            make_cluster(self.folder, programs_for(account), account)
            return _url(self._running(account))

    def is_alive(self) -> bool:
        """Return whether the server runs."""
        if self._process:
            self._process.poll()  # what died is buried
        return record.is_alive(self._record)

    def revive(self) -> bool:
        """Start the server again if it died under its user; return whether that was needed."""
        if self._lease is None or self.is_alive():
            return False
        if not (self.folder / "PG_VERSION").exists():
            raise DatabaseUnreachable(f"the data folder {self.folder} is gone")
        _log.warning("the embedded PostgreSQL in %s died; it is started again", self.folder)
        self.start()
        return True

    def release(self) -> None:
        """Stop using the server; the last one to do so stops it."""
        with self._mutex:
            if self._lease is None or self._lease[1] != os.getpid():
                return
            handle, self._lease = self._lease[0], None
            try:
                self._leave(handle)
            finally:
                os.close(handle)

    def _leave(self, handle: int) -> None:
        if not self._gate.parent.exists():  # its folder was removed under it
            return
        with locks.held(self._gate, self._say_gate):
            if locks.take(handle):  # nobody else has a share of it
                self._stop()
                self._clear_away()
        if self._process:
            leave_running(self._process)
            self._process = None

    def _running(self, account: Account) -> Path:
        """Return the folder of the running server's socket; called by one process at a time."""
        patience = Patience(self._say_starting)
        while self.is_alive():
            if (found := record.read(self._record, self.folder)) and self._is_ready(found):
                if sockets.socket_in(Path(found.socket)).exists():
                    return Path(found.socket)
                self._stop()  # something cleared the temporary folders: nobody can reach it
            patience.rest()
        return self._launched(account)

    def _launched(self, account: Account) -> Path:
        clear_stale(self.folder)
        before = record.stored(self._record)
        known = Path(before.socket) if before else None
        socket = sockets.socket_folder(self.folder, account, known)
        sockets.clear_sockets(socket)
        admit(self.folder, account)
        lock, log = locks.opened(self._record), self._server_log.open()
        try:
            self._process = launch(
                programs_for(account), self.folder, account, lock=lock, log=log, socket=socket
            )
        finally:
            os.close(lock)
            os.close(log)
        self._wait_until_ready(self._process)
        return socket

    def _wait_until_ready(self, process: Process) -> None:
        """Wait as long as the server recovers; DatabaseUnreachable if it ends instead."""
        patience = Patience(self._say_starting)
        while record.status(self.folder, process.pid) != "ready":
            if process.poll() is not None:
                raise DatabaseUnreachable(
                    f"the embedded PostgreSQL in {self.folder} does not start: "
                    f"{self._server_log.reason()}"
                )
            patience.rest()

    def _is_ready(self, found: record.Record) -> bool:
        return record.status(self.folder, found.pid) == "ready"

    def _stop(self) -> None:
        """Stop the server that was started here; any other process is left alone."""
        found = record.read(self._record, self.folder)
        if found is None or not self.is_alive():
            return
        for which, seconds in ((signal.SIGINT, _STOP_SECONDS), (signal.SIGQUIT, 10)):
            if not send_signal(found.pid, found.mark, which):
                break
            if self._has_ended(seconds):
                return
        _log.warning("the embedded PostgreSQL in %s could not be stopped", self.folder)

    def _clear_away(self) -> None:
        """Remove the socket's folder of a server that ended, in whatever way."""
        found = record.stored(self._record)
        if found and not self.is_alive():
            sockets.remove_folder(Path(found.socket), self.folder)

    def _has_ended(self, seconds: float) -> bool:
        patience = Patience(lambda _: None)
        while self.is_alive():
            if patience.waited > seconds:
                return False
            patience.rest()
        return True

    def _leased(self) -> tuple[int, int]:
        handle = locks.opened(self._users)
        locks.take(handle, shared=True)  # only who holds the gate takes it alone
        return handle, os.getpid()

    def _beside(self, suffix: str) -> Path:
        return self.folder.with_name(f"{self.folder.name}.{suffix}")

    def _say_gate(self, seconds: float) -> None:
        said = "another process starts or stops the embedded PostgreSQL in %s; waiting (%.0f s)"
        _log.warning(said, self.folder, seconds)

    def _say_starting(self, seconds: float) -> None:
        said = "the embedded PostgreSQL in %s recovers; waiting (%.0f s); its log says: %s"
        lines = self._server_log.lines() or ["nothing"]
        _log.warning(said, self.folder, seconds, lines[-1])


_servers: dict[Path, EmbeddedServer] = {}
_opening = threading.Lock()


def open_server(folder: Path) -> EmbeddedServer:
    """Return this process's one server of a folder, not started; released when the process ends."""
    with _opening:
        server = EmbeddedServer(folder)
        if server.folder not in _servers:
            _servers[server.folder] = server
            atexit.register(server.release)
        return _servers[server.folder]


def embedded_url(folder: Path) -> URL:
    """Start the server of this data folder if it does not run, and return where it is."""
    return open_server(folder).start()


@contextmanager
def running(folder: Path) -> Generator[URL]:
    """Use the server of a folder for a while, and not until this process ends."""
    server = EmbeddedServer(folder)
    try:
        yield server.start()
    finally:
        server.release()


def _url(socket: Path) -> URL:
    """Return the parts of a connection; they are never put into one text and parsed anew."""
    return URL.create(
        "postgresql+psycopg",
        username=ROLE,
        database="postgres",
        query={"host": str(socket), "port": str(sockets.PORT)},
    )
