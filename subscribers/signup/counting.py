"""How often letters may be asked for: attempts are counted, and one too many is refused.

Limits count keyed hashes, which are deleted after a day.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from subscribers.db.record_tables import SignupRequestRow
from subscribers.db.transaction import execute
from subscribers.errors import TooManyRequests
from subscribers.signup.model import DAY, HOUR, SignUpAttempt, may_mail

# Two attempts at once wait for each other here, so that a limit is one.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(encode(%(name)s, 'hex'), 0))"


def admit_from_network(session: Session, attempt: SignUpAttempt) -> None:
    """Count this attempt for its network; raise TooManyRequests where that asked too often."""
    if attempt.network:
        most = attempt.limits.signups_an_hour
        admit(session, attempt.signups, at_most=most, within=HOUR, at=attempt.at)


def admit(session: Session, name: bytes, *, at_most: int, within: timedelta, at: datetime) -> None:
    """Count one more under a name; raise TooManyRequests where there were too many of late."""
    counted = _counted(session, name, at - within)
    if len(counted) >= at_most:
        raise TooManyRequests(min(counted, default=at) + within - at)
    session.add(SignupRequestRow(counted_as=name, at=at))


def count_mail(session: Session, attempt: SignUpAttempt) -> bool:
    """Count an email to this address; return False when it has had enough."""
    mailed = _counted(session, attempt.mails, attempt.at - DAY)
    if not may_mail(mailed, attempt.limits, attempt.at, again=attempt.again):
        return False
    session.add(SignupRequestRow(counted_as=attempt.mails, at=attempt.at))
    return True


def _counted(session: Session, name: bytes, since: datetime) -> Sequence[datetime]:
    execute(session, _LOCK, {"name": name})
    row = SignupRequestRow
    return session.exec(select(row.at).where(row.counted_as == name, col(row.at) > since)).all()
