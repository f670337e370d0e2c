"""Whether this kernel, and this user, can make networks; and a process that has one of its own."""

import os
import shutil
import subprocess
import sys

_INSIDE = "NEWSLETTER_CLUSTER_INSIDE"
_PROGRAMS = ("unshare", "nsenter", "ip")
#: Who is not root becomes so for networks only, in a user namespace, and stays who they are.
_PLAIN_USER = ("--user", "--map-current-user", "--keep-caps")


def why_not() -> str:
    """Return why no network can be made here; empty if one can."""
    if missing := [one for one in _PROGRAMS if not shutil.which(one)]:
        return f"{', '.join(missing)} (Debian: util-linux, iproute2) must be installed"
    attempt = "ip link add probe type veth peer name probe2 && ip link add switch type bridge"
    done = subprocess.run(_own_network("sh", "-c", attempt), capture_output=True, check=False)
    return "" if done.returncode == 0 else done.stderr.decode().strip() or "no namespace to be had"


def enter_own_network() -> None:
    """Start this program again, in a network of its own, unless it is in one."""
    if os.environ.get(_INSIDE):
        return
    os.environ[_INSIDE] = "1"
    line = _own_network(sys.executable, "-m", "tests.cluster", *sys.argv[1:])
    os.execvp(line[0], line)


def _own_network(*command: str) -> list[str]:
    user = () if os.geteuid() == 0 else _PLAIN_USER
    return ["unshare", "--net", *user, "--", *command]
