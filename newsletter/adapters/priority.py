"""Giving way: how much of the processors this process, and what works for it, takes from others.

Linux counts niceness by thread: what a thread starts begins with its own. Elsewhere it is the whole
process that gives way, and where the system knows no niceness, or does not allow it, nothing does.
"""

import os
import socket
import struct
from contextlib import suppress
from typing import Any

import psutil
from psycopg import Connection

_PEER = struct.Struct("3i")  #: process, user and group, as Linux' unix(7) has SO_PEERCRED


def give_way(niceness: int, process: int = 0) -> None:
    """Let others go first: this thread, and those it starts from here on, or another process.

    What gives way that far already, such as by the command `nice`, stays as it is.
    """
    if hasattr(os, "setpriority"):
        with suppress(OSError):
            if os.getpriority(os.PRIO_PROCESS, process) < niceness:
                os.setpriority(os.PRIO_PROCESS, process, niceness)


def let_backend_give_way(connection: Connection[Any], niceness: int) -> None:
    """Let the server's process behind a connection give way, if it is on this machine for sure."""
    with suppress(OSError, psutil.Error):
        server, backend = _server_of(connection), connection.info.backend_pid
        if server and psutil.Process(backend).ppid() == server:
            give_way(niceness, backend)


def _server_of(connection: Connection[Any]) -> int:
    """Return the process that a local connection was made to; 0 where nobody can say.

    Over a network, or from another container, a backend's number means another process here.
    """
    if not hasattr(socket, "SO_PEERCRED"):
        return 0
    with socket.socket(fileno=os.dup(connection.fileno())) as end:
        if end.family != socket.AF_UNIX:
            return 0
        found = end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    return _PEER.unpack(found)[0]
