"""List imports as an operator runs them: in a process of their own, beside a bare COPY.

A list of addresses and topics is the least that an import can be given. What people bring who move
from another service is wider: its export says twenty things of everybody.
"""

import csv
import json
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from newsletter.container import Container
from newsletter.settings import load_settings
from tests.bench.baselines import copy_list
from tests.bench.installation import Installation, import_list
from tests.bench.measure import family_cpu, peak_megabytes, stopwatch

_MAILCHIMP = (
    "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,"
    "LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS"
)
_OPTED_IN = (2, "2026-05-01 10:22:33", "192.0.2.1")
_PLACE = ("192.0.2.1", "40.7127", "-74.0059", "-5", "-4", "America/New_york", "US", "NY")
_CHANGED = "2026-06-01 08:00:00"
_NOTES = ("", '"early","podcast"')


@dataclass(frozen=True)
class ImportTimes:
    """What a list took, and its baseline."""

    seconds: float
    copy_seconds: float
    megabytes: float  #: the most that the process held, and the one that read for it
    cpu: float  #: seconds of these two
    server_cpu: float


def measure_import(
    installation: Installation, database: str, path: Path, *, readers: int
) -> ImportTimes:
    """Import a list of so many readers into a database that has its tables."""
    before = copy_list(installation, path)
    server = installation.server_process()
    worked = family_cpu(server)
    command = [sys.executable, "-m", "tests.bench.lists", str(path)]
    done = subprocess.run(
        command, env=installation.environ(database), capture_output=True, text=True, check=True
    )
    report = json.loads(done.stdout)
    assert report["added"] == readers
    worked = family_cpu(server) - worked
    bare = (before + copy_list(installation, path)) / 2  # the load may change meanwhile
    return ImportTimes(report["seconds"], bare, report["megabytes"], report["cpu"], worked)


def write_export(path: Path, readers: int) -> Path:
    """Write a list as Mailchimp exports it."""
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(f"{_MAILCHIMP}\n")
        rows = csv.writer(file, lineterminator="\n")
        for number in range(readers):
            address, name = f"reader-{number:07}@example.com", f"Number {number}"
            confirmed = f"2026-05-01 11:{number // 60 % 60:02}:{number % 60:02}"
            ids = (100_000_000 + number, f"{number:010x}")
            rows.writerow(
                (address, "Reader", name, *_OPTED_IN, confirmed, *_PLACE, _CHANGED, *ids, *_NOTES)
            )
    return path


def main() -> None:
    """Import the list that is named, and print what it took."""
    container = Container(load_settings())
    if sys.argv[2:]:  # beside others, as the command does; alone, it is held against a floor
        container.give_way()
    with container.engine.connect():
        pass  # connects before the stopwatch starts
    with stopwatch() as importing:
        added = import_list(container, Path(sys.argv[1]))
    reader = resource.getrusage(resource.RUSAGE_CHILDREN)
    reader_megabytes = reader.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
    most = max(peak_megabytes(), reader_megabytes)
    cpu = importing.cpu + reader.ru_utime + reader.ru_stime
    said = {"added": added, "seconds": importing.seconds, "megabytes": most, "cpu": cpu}
    print(json.dumps(said))
    container.close()


if __name__ == "__main__":
    main()
