"""What `newsletter doctor` finds out about an installation, each with its cure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class SetupGrade(IntEnum):
    """How well something is set up, the worse the higher."""

    OK = 0
    UNKNOWN = 1  #: it could not be found out
    WARN = 2
    FAIL = 3


class SetupArea(StrEnum):
    """Where a finding is about, in the order in which they are shown."""

    SETTINGS = "settings"
    MACHINE = "machine"
    DATABASE = "database"
    SENDGRID = "SendGrid"
    DNS = "DNS"
    PUBLIC = "from outside"
    LETTER = "letter"


@dataclass(frozen=True, kw_only=True)
class SetupFinding:
    """One thing that was looked at: what it is like, and what to do about it."""

    area: SetupArea
    subject: str
    grade: SetupGrade
    sentence: str
    cure: str = ""  #: empty where nothing needs to be done

    @property
    def fine(self) -> bool:
        return self.grade is SetupGrade.OK


#: The exit code of each grade; 2 is wrong input everywhere.
EXIT_CODES = {
    SetupGrade.OK: 0,
    SetupGrade.FAIL: 1,
    SetupGrade.WARN: 3,
    SetupGrade.UNKNOWN: 4,
}


def worst(findings: Iterable[SetupFinding]) -> SetupGrade:
    return max((one.grade for one in findings), default=SetupGrade.OK)


@dataclass(frozen=True)
class SetupSubject:
    """Makes the findings about one subject."""

    area: SetupArea
    subject: str

    def ok(self, sentence: str) -> SetupFinding:
        return self._of(SetupGrade.OK, sentence)

    def warn(self, sentence: str, cure: str) -> SetupFinding:
        return self._of(SetupGrade.WARN, sentence, cure)

    def fail(self, sentence: str, cure: str) -> SetupFinding:
        return self._of(SetupGrade.FAIL, sentence, cure)

    def unknown(self, sentence: str, cure: str = "") -> SetupFinding:
        return self._of(SetupGrade.UNKNOWN, sentence, cure)

    def _of(self, grade: SetupGrade, sentence: str, cure: str = "") -> SetupFinding:
        return SetupFinding(
            area=self.area, subject=self.subject, grade=grade, sentence=sentence, cure=cure
        )
