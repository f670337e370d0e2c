"""Machines of a network of their own: namespaces of the kernel, joined by a bridge.

All of it lives in the namespace of the process that makes it (`python -m tests.cluster` gives
itself one), and ends with that process. A cut cable loses packets without a word, as real ones do.
"""

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

BRIDGE = "switch"
OUTSIDE = "10.87.0.254"  #: the bridge's own address: whatever is not a machine of the house


def bring_up() -> None:
    """Make the bridge, in the namespace of this process."""
    _ip("link", "set", "lo", "up")
    _ip("link", "add", BRIDGE, "type", "bridge")
    _ip("address", "add", f"{OUTSIDE}/24", "dev", BRIDGE)
    _ip("link", "set", BRIDGE, "up")


class Machine:
    """A network namespace with one cable to the bridge."""

    def __init__(self, name: str, number: int) -> None:
        self.name, self.address = name, f"10.87.0.{number}"
        self._holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        self._cable = f"to-{name}"

    def __enter__(self) -> Self:
        self._await_namespace()
        pid = str(self._holder.pid)
        _ip("link", "add", self._cable, "type", "veth", "peer", "name", "eth0", "netns", pid)
        _ip("link", "set", self._cable, "master", BRIDGE, "up")
        self._inside("ip", "link", "set", "lo", "up")
        self._inside("ip", "address", "add", f"{self.address}/24", "dev", "eth0")
        self._inside("ip", "link", "set", "eth0", "up")
        return self

    def __exit__(self, *_: object) -> None:
        self._holder.kill()
        self._holder.wait()

    def line(self, command: Sequence[str]) -> list[str]:
        """Return the command line that runs a command on this machine."""
        return ["nsenter", f"--net=/proc/{self._holder.pid}/ns/net", "--", *command]

    def cut(self) -> None:
        """Lose every packet from and to this machine from now on."""
        _ip("link", "set", self._cable, "down")

    def mend(self) -> None:
        """Let packets through again."""
        _ip("link", "set", self._cable, "up")

    def narrow(self, mtu: int) -> None:
        """Let its cable carry packets of at most so many bytes."""
        _ip("link", "set", self._cable, "mtu", str(mtu))
        self._inside("ip", "link", "set", "eth0", "mtu", str(mtu))

    def delay(self, milliseconds: int) -> bool:
        """Delay what it sends; return whether this kernel can (`sch_netem`)."""
        netem = ["tc", "qdisc", "add", "dev", "eth0", "root", "netem", "delay", f"{milliseconds}ms"]
        return subprocess.run(self.line(netem), capture_output=True, check=False).returncode == 0

    def _inside(self, *command: str) -> None:
        subprocess.run(self.line(command), check=True)

    def _await_namespace(self) -> None:
        ours, theirs = (Path(f"/proc/{pid}/ns/net") for pid in (os.getpid(), self._holder.pid))
        deadline = time.monotonic() + 10
        while theirs.readlink() == ours.readlink():
            assert time.monotonic() < deadline, "no namespace was made"
            time.sleep(0.01)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
