"""The send window: the one rate and the one pause that all workers share.

See docs/decisions/limits-in-the-database.md.
"""

from datetime import UTC, datetime

from sqlmodel import Session

from newsletter.core.sending_limits import RateLimit, SendWindow, next_free_at, wait_until
from subscribers.db.transaction import execute, rows, scalar

#: The row is locked until the batch has its place, so that all workers keep one rate.
_ADD_WINDOW = "INSERT INTO send_window (id) VALUES (1) ON CONFLICT DO NOTHING"
_LOCK_WINDOW = "SELECT free_at, day, day_count FROM send_window WHERE id = 1 FOR UPDATE"

_SIZE = "SELECT size FROM batch WHERE id = %(batch)s"

_COUNT_IN = """
    UPDATE send_window SET free_at = %(free_at)s, day = %(day)s,
           day_count = %(size)s + CASE WHEN day = %(day)s THEN day_count ELSE 0 END
     WHERE id = 1
"""

_CLOSE = """
    INSERT INTO send_window AS old (id, closed_until) VALUES (1, %(until)s)
    ON CONFLICT (id) DO UPDATE
       SET closed_until = greatest(old.closed_until, excluded.closed_until)
"""


def close_window(session: Session, until: datetime) -> None:
    """Let no worker send anything before a moment that SendGrid named."""
    execute(session, _CLOSE, {"until": until})


def wait_in_window(
    session: Session, batch_id: int, limit: RateLimit, now: datetime
) -> datetime | None:
    """Return when a batch may try again; None if the rate limit lets it leave now."""
    execute(session, _ADD_WINDOW)
    size: int | None = scalar(session, _SIZE, {"batch": batch_id})
    return wait_until(limit, _window(session), size or 0, now)


def count_in_window(session: Session, size: int, limit: RateLimit, now: datetime) -> None:
    values = {
        "free_at": next_free_at(limit, _window(session).free_at, size, now),
        "day": now.astimezone(UTC).date(),
        "size": size,
    }
    execute(session, _COUNT_IN, values)


def _window(session: Session) -> SendWindow:
    [row] = rows(session, _LOCK_WINDOW)
    return SendWindow(**row)
