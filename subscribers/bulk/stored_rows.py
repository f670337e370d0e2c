"""The rows of a bulk change, kept in a file while they are changed."""

import json
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile

from subscribers.records.model import BulkRow, BulkState


class StoredRows(Iterable[BulkRow]):
    """Rows that stay the same however often they are read; memory does not grow with them.

    They are in a file that only this user may read, and that is deleted with this object.
    """

    def __init__(self, found: Iterable[BulkRow]) -> None:
        file = NamedTemporaryFile("w", encoding="utf-8", prefix="newsletter-bulk-")  # noqa: SIM115  # closed with this object
        weakref.finalize(self, file.close)
        self._path, self._count = Path(file.name), 0
        for one in found:
            file.write(json.dumps(one) + "\n")
            self._count += 1
        file.flush()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[BulkRow]:
        with self._path.open(encoding="utf-8") as lines:
            yield from map(_row, lines)


def _row(line: str) -> BulkRow:
    number, email, state, subscriber_id, subscription_ids, problem = json.loads(line)
    return BulkRow(number, email, BulkState(state), subscriber_id, tuple(subscription_ids), problem)
