"""How a stand-in is set up, and the same as arguments of `python -m newsletter.sandbox`."""

import argparse
import ipaddress
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from newsletter.sandbox.events import Shares
from newsletter.sandbox.rules import MAX_BODY


@dataclass(frozen=True, kw_only=True)
class SandboxConfig:
    """Everything that can be chosen about a stand-in."""

    data: Path  #: folder for the database and the signing key; made when missing
    host: str = "127.0.0.1"  #: a loopback address
    port: int = 0  #: 0: any free one
    keys: tuple[str, ...] = ()  #: API keys that are let in; none: every one that begins with "SG."
    max_body: int = MAX_BODY  #: bytes; a larger request is answered 413
    bad_address: str = ""  #: regular expression for whole addresses, lower case, to refuse
    sink: bool = False  #: check and count, but keep nothing
    issue_arg: str = "nl_issue"  #: custom argument that names the issue; without it, the subject
    webhook_url: str | None = None  #: where events are posted; None: they only happen
    events: bool = True  #: whether there are events at all
    shares: Shares = field(default_factory=Shares)
    max_events: int = 1000  #: in one post
    duplicates: float = 0.0  #: share of events that are posted a second time
    shuffle: bool = False  #: whether the events of a request come in any order
    logs: bool = True  #: whether the keys may read Email Logs
    logs_per_minute: int = 0  #: calls of Email Logs before they are answered 429; 0: any number
    logs_delay: float = 0.0  #: seconds until Email Logs show what was accepted
    seed: int = 0  #: of the dice for faults, duplicates and shuffling

    def __post_init__(self) -> None:
        if not _is_loopback(self.host):
            raise ValueError(f"{self.host} is not a loopback address")

    def arguments(self) -> list[str]:
        """Return the command line that says the same."""
        line = [f"--data={self.data}", f"--host={self.host}", f"--port={self.port}"]
        line += [f"--key={key}" for key in self.keys]
        line += [f"--max-body={self.max_body}", f"--bad-address={self.bad_address}"]
        line += [f"--issue-arg={self.issue_arg}"]
        line += [f"--webhook={self.webhook_url}"] if self.webhook_url else []
        line += [f"--events={'simulated' if self.events else 'none'}"]
        line += [f"--share={name}={share}" for name, share in asdict(self.shares).items()]
        line += [f"--max-events={self.max_events}", f"--duplicates={self.duplicates}"]
        line += [f"--logs={'readable' if self.logs else 'forbidden'}"]
        line += [f"--logs-per-minute={self.logs_per_minute}", f"--logs-delay={self.logs_delay}"]
        line += [f"--seed={self.seed}"]
        return line + ["--shuffle"] * self.shuffle + ["--sink"] * self.sink


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Teach a parser the arguments that make up a `SandboxConfig`."""
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="DIR", help="folder to keep everything in")
    add("--host", default="127.0.0.1", help="loopback address to listen on")
    add("--port", type=int, default=0, help="port to listen on; 0 takes any free one")
    add("--key", action="append", default=[], help="API key to let in; by default any SG.… key")
    add("--max-body", type=int, default=MAX_BODY, metavar="BYTES", help="largest request")
    add("--bad-address", default="", metavar="REGEX", help="addresses to refuse")
    add("--sink", action="store_true", help="check and count, but keep nothing")
    add("--issue-arg", default="nl_issue", metavar="NAME", help="custom argument naming the issue")
    add("--webhook", metavar="URL", help="where to post signed events")
    add("--events", choices=("simulated", "none"), default="simulated")
    add("--share", action="append", default=[], metavar="FATE=SHARE", help="e.g. bounce=0.02")
    add("--max-events", type=int, default=1000, metavar="N", help="events in one post")
    add("--duplicates", type=float, default=0.0, metavar="SHARE", help="events posted twice")
    add("--shuffle", action="store_true", help="post the events of a request in any order")
    add("--logs", choices=("readable", "forbidden"), default="readable")
    add("--logs-per-minute", type=int, default=0, metavar="N", help="calls before a 429; 0: any")
    add("--logs-delay", type=float, default=0.0, metavar="SECONDS", help="until they show a letter")
    add("--seed", type=int, default=0, help="of all dice")


def config_from(arguments: argparse.Namespace) -> SandboxConfig:
    """Return the configuration that parsed arguments ask for; ValueError says what is wrong."""
    return SandboxConfig(
        data=arguments.data,
        host=arguments.host,
        port=arguments.port,
        keys=tuple(arguments.key),
        max_body=arguments.max_body,
        bad_address=arguments.bad_address,
        sink=arguments.sink,
        issue_arg=arguments.issue_arg,
        webhook_url=arguments.webhook,
        events=arguments.events == "simulated",
        shares=_shares(arguments.share),
        max_events=arguments.max_events,
        duplicates=arguments.duplicates,
        shuffle=arguments.shuffle,
        logs=arguments.logs == "readable",
        logs_per_minute=arguments.logs_per_minute,
        logs_delay=arguments.logs_delay,
        seed=arguments.seed,
    )


def _shares(pairs: Sequence[str]) -> Shares:
    chosen: dict[str, float] = {}
    for pair in pairs:
        name, _, share = pair.partition("=")
        if name not in Shares.__dataclass_fields__:
            raise ValueError(f"there is no share {name!r}")
        chosen[name] = float(share)
    return Shares(**chosen)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return False
