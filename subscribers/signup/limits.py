"""Counting sign-ups and emails against their limits: keyed hashes, deleted after a day."""

from sqlmodel import Session, col, select

from subscribers.db.record_tables import SignupRequestRow
from subscribers.db.transaction import execute
from subscribers.signup.model import DAY, HOUR, SignUpAttempt, may_mail

# Two attempts at once wait for each other here, so that a limit is one.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(encode(%(name)s, 'hex'), 0))"


def network_is_over(session: Session, attempt: SignUpAttempt) -> bool:
    """Count this attempt for its network, unless that has signed up too often."""
    if not attempt.network:
        return False
    row = SignupRequestRow
    counted = select(row.at).where(
        row.counted_as == attempt.signups, col(row.at) > attempt.at - HOUR
    )
    execute(session, _LOCK, {"name": attempt.signups})
    if len(session.exec(counted).all()) >= attempt.limits.signups_an_hour:
        return True
    session.add(row(counted_as=attempt.signups, at=attempt.at))
    return False


def count_mail(session: Session, attempt: SignUpAttempt) -> bool:
    """Count an email to this address; return False when it has had enough."""
    row = SignupRequestRow
    counted = select(row.at).where(row.counted_as == attempt.mails, col(row.at) > attempt.at - DAY)
    execute(session, _LOCK, {"name": attempt.mails})
    mailed = session.exec(counted).all()
    if not may_mail(mailed, attempt.limits, attempt.at, again=attempt.again):
        return False
    session.add(row(counted_as=attempt.mails, at=attempt.at))
    return True
