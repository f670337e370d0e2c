"""Where the processes listen: at addresses of both kinds."""

import socket

import pytest

from newsletter.cli.processes import listening


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("::", "::1"), ("::", "127.0.0.1")],
)
def test_whoever_listens_at_an_address_is_reached_there(host: str, address: str) -> None:
    if ":" in host and not _has_ipv6():
        pytest.skip("this machine has no IPv6")
    with listening(host, 0) as listener:
        socket.create_connection((address, listener.getsockname()[1])).close()


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True
