"""Options of a sandbox, passed to its process as JSON."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, with_config

from newsletter.sandbox.events import Shares
from newsletter.sandbox.rules import MAX_BODY


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, kw_only=True)
class SandboxConfig:
    """Every option of a sandbox."""

    data: Path  #: folder for the database and the signing key; created when missing
    host: str = "127.0.0.1"  #: a loopback address
    port: int = 0  #: 0: any free one
    keys: tuple[str, ...] = ()  #: accepted API keys; none: every one that begins with "SG."
    max_body: int = MAX_BODY  #: bytes; a larger request is answered 413
    bad_address: str = ""  #: regular expression for whole addresses, lower case, to refuse
    sink: bool = False  #: check and count, but store nothing
    issue_arg: str = "nl_issue"  #: custom argument that names the issue; without it, the subject
    installation_arg: str = "nl_installation"  #: the one that says whose issue it is
    webhook_url: str | None = None  #: where events are posted; None: nowhere
    events: bool = True  #: whether there are events at all
    shares: Shares = field(default_factory=Shares)
    max_events: int = 1000  #: in one post
    duplicates: float = 0.0  #: share of events that are posted a second time
    shuffle: bool = False  #: whether the events of a request come in any order
    logs: bool = True  #: whether the keys may read Email Logs
    logs_per_minute: int = 0  #: calls of Email Logs before they are answered 429; 0: any number
    logs_delay: float = 0.0  #: seconds until Email Logs show what was accepted
    account: Path | None = None  #: JSON file with what the account says of itself; see account.py
    seed: int = 0  #: of the random numbers for faults, duplicates and shuffling

    def __post_init__(self) -> None:
        if not _is_loopback(self.host):
            raise ValueError(f"{self.host} is not a loopback address")


CONFIG_JSON = TypeAdapter(SandboxConfig)  #: reads and writes the options


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return False
