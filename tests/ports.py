"""A port for a server that is started in a while."""

import random
import socket

#: Below those that systems give to outgoing connections, of which one might soon have this one.
_PORTS = range(20_000, 32_000)


def free_port() -> int:
    """Return a port on which nobody listens, and that is given to nobody meanwhile."""
    for port in random.sample(_PORTS, 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no port is free")
