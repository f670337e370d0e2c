"""What the last look at an installation found, as it is stored for the console."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from newsletter.core.setup_finding import SetupArea, SetupFinding, SetupGrade, worst


@dataclass(frozen=True, kw_only=True)
class SetupReport:
    """What was found, when and for whom; and whether somebody is looking again."""

    findings: tuple[SetupFinding, ...]
    checked_at: datetime | None  #: None: the first look has not ended
    checked_by: str
    begun_at: datetime | None  #: of a look that has not ended
    begun_by: str

    @property
    def grade(self) -> SetupGrade:
        return worst(self.findings)

    def count(self, grade: SetupGrade) -> int:
        return sum(one.grade is grade for one in self.findings)

    @property
    def by_area(self) -> Sequence[tuple[SetupArea, Sequence[SetupFinding]]]:
        """Return the findings of each area, without those areas that have none."""
        found = ((area, [one for one in self.findings if one.area is area]) for area in SetupArea)
        return [(area, those) for area, those in found if those]
