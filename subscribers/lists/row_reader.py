"""Reads one row of a list at a time: who it is about, whether they left, and what else it says."""

import re
from collections import Counter
from collections.abc import Sequence

from subscribers.addresses import ADDRESS_LENGTH, is_plain, read_address
from subscribers.errors import InvalidAddress
from subscribers.lists.cell_parsers import Cells, RowRefused
from subscribers.lists.cell_words import CONTROL, NOTHING, SideFact
from subscribers.lists.fields import ColumnMeaning
from subscribers.lists.formats import service_of
from subscribers.lists.list_format import Format
from subscribers.lists.questions import UndecidedColumn
from subscribers.lists.statuses import ImportedStatus
from subscribers.model import SuppressionReason
from subscribers.rules.address_slips import likely_slip
from subscribers.rules.role_addresses import ROLES
from subscribers.spreadsheet import read_plain_cell

_NAMED = re.compile(r"\s*(.*?)\s*<\s*(?:mailto:)?([^<>\s]+@[^<>\s]+)\s*>\s*").fullmatch
_UNSEEN = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))
_DOMAINS = 100_000  #: that are remembered; few lists have more
_WARNINGS = 500  #: different ones that are counted

_SUPPRESSES = {
    ImportedStatus.INVALID: SuppressionReason.INVALID,
    ImportedStatus.BOUNCED: SuppressionReason.BOUNCE,
    ImportedStatus.BLOCKED: SuppressionReason.MANUAL,
    ImportedStatus.COMPLAINED: SuppressionReason.COMPLAINT,
}
_LEAVES = (ImportedStatus.LEFT, ImportedStatus.COMPLAINED)

#: Every row has these; which others it has, its list decides.
_ALWAYS = ("line", "email", "problem", "warning")
_GONE = ("leaves", "suppress", "gone_at")


class RowReader:
    """Reads one record at a time, and counts what it warns of."""

    def __init__(
        self,
        columns: list[str],
        kind: Format,
        cells: Cells,
        undecided: Sequence[UndecidedColumn] = (),
    ) -> None:
        meanings = [kind.columns.get(column) for column in columns]
        self._service = service_of(kind.name)
        self._width = len(columns)
        self._email = meanings.index(ColumnMeaning.EMAIL)
        names = [place for place, one in enumerate(meanings) if one in _NAMES]
        self._name = names[0] if names else None
        self._escaped = kind.escaped
        self._cells = cells
        self._status = cells.status if cells.has_status else None
        self._reasons = cells.has_reasons
        gone = _GONE if self._status else ()
        self.fields = (*_ALWAYS, *gone, *(name for name, _ in cells.readers))
        self.warnings: Counter[str] = Counter()
        self._readers = [read for _, read in cells.readers]
        self._present = "\t" + "\t".join([NOTHING] * len(gone)) if gone else ""
        self._blanks = ("\t" + NOTHING) * len(self._readers)
        self._undecided = undecided
        self._slips: dict[str, bool] = {}  #: whether a domain looks like a slip

    def read(self, line: int, record: list[str]) -> str:
        """Return what the record says, or what is wrong with it; "" if it is not one."""
        if len(record) < self._width:
            record += [""] * (self._width - len(record))
        if self._escaped and "'" in "".join(record):
            record = [read_plain_cell(cell) for cell in record]
        for column in self._undecided:
            column.see(record[column.place])
        email = record[self._email].strip()
        try:
            if not is_plain(email):
                if _is_no_row(record):
                    return ""
                email, record = self._unusual(record)
            if len(record) > self._width:
                self._refuse_more(record)
            status = self._status(record) if self._status else ImportedStatus.SUBSCRIBED
            if (status or self._reasons) and (gone := self._gone(status, record)):
                said, _ = self._side_facts(record)
                return f"{line}\t{email}\t{NOTHING}\t{NOTHING}\t{gone}{said}\n"
        except (InvalidAddress, RowRefused) as error:
            return self._refused(line, record[self._email], str(error))
        return f"{line}\t{email}\t{NOTHING}\t{self._said(email, record)}\n"

    def _said(self, email: str, record: list[str]) -> str:
        """Return what is to be said of the row, and what the record says of its person."""
        warning = ""
        try:
            said = "".join(["\t" + read(record) for read in self._readers])
        except SideFact:
            said, warning = self._side_facts(record)
        local, _, domain = email.rpartition("@")
        doubtful = self._slips.get(domain)  # inline, like the roles: there are a million rows
        if doubtful is None:
            doubtful = self._is_doubtful(domain)
        if doubtful or local.lower() in ROLES:
            warning = "; ".join(filter(None, [warning, _doubt(email)]))
        if warning:
            warning = self._count(warning)
        return f"{warning or NOTHING}{self._present}{said}"

    def _refuse_more(self, record: Sequence[str]) -> None:
        if any(map(str.strip, record[self._width :])):
            raise RowRefused(f"{len(record)} fields under {self._width} columns")

    def _unusual(self, record: list[str]) -> tuple[str, list[str]]:
        """Return the address of a cell that is no plain one, and the record with its name."""
        cell = record[self._email].translate(_UNSEEN).strip()
        if found := _NAMED(cell):
            cell = found[2]
            if self._name is not None and not record[self._name].strip():
                record = record.copy()
                record[self._name] = found[1].strip("\"'")
        cell = cell.removeprefix("mailto:")
        return read_address(cell).email, record

    def _side_facts(self, record: list[str]) -> tuple[str, str]:
        """Return what can be read of the record, and what is wrong with the rest."""
        said, warnings = "", list[str]()
        for read in self._readers:
            try:
                said += "\t" + read(record)
            except SideFact as fact:
                said += "\t" + fact.value
                warnings.append(str(fact))
        return said, "; ".join(dict.fromkeys(warnings))

    def _is_doubtful(self, domain: str) -> bool:
        found = likely_slip(f"x@{domain}") is not None
        if len(self._slips) < _DOMAINS:
            self._slips[domain] = found
        return found

    def _count(self, warning: str) -> str:
        for one in warning.split("; "):
            if one in self.warnings or len(self.warnings) < _WARNINGS:
                self.warnings[one] += 1
            else:
                self.warnings["others, in the file of results"] += 1
        return CONTROL.sub("�", warning).replace("\\", r"\\")

    def _gone(self, status: ImportedStatus, record: list[str]) -> str | None:
        """Return that they left, or why they must not be written to; None if they are there."""
        if status is ImportedStatus.UNCONFIRMED:
            raise RowRefused(f"not confirmed in {self._service}: ask them to sign up")
        reason = _SUPPRESSES.get(status) or self._cells.suppressed(record)
        leaves = status in _LEAVES
        if not reason and not leaves:
            return None
        return f"{leaves}\t{reason or NOTHING}\t{self._cells.gone_at(record)}"

    def _refused(self, line: int, email: str, problem: str) -> str:
        shown, why = (
            CONTROL.sub("�", text).replace("\\", r"\\")
            for text in (email[:ADDRESS_LENGTH], problem)
        )
        return f"{line}\t{shown}\t{why}\t{NOTHING}{self._present}{self._blanks}\n"


_NAMES = (ColumnMeaning.NAME, ColumnMeaning.FIRST_NAME)


def _is_no_row(record: Sequence[str]) -> bool:
    """Return whether a line is blank, or a comment."""
    return not any(map(str.strip, record)) or record[0].lstrip().startswith("#")


def _doubt(email: str) -> str:
    if slip := likely_slip(email):
        return f"{email}: did they mean {slip}?"
    return f"{email} is the address of a role, not of a person"
