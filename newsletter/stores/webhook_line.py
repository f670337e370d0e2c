"""What was seen of the line on which SendGrid posts its events.

See docs/decisions/absence-permits-one-resend.md.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import Engine

from newsletter.core.reconciliation import WebhookLine
from subscribers.db.transaction import DatabaseStore, execute, rows, transaction

_KEPT = timedelta(days=3)  #: more than the core ever looks back

#: A post counts if it brought an event of a request that was made here.
_RECEIVED = """
    INSERT INTO webhook_post (at, failed)
    SELECT %(now)s, false WHERE EXISTS (SELECT FROM attempt WHERE id = ANY(%(attempts)s))
"""

_FAILED = """
    INSERT INTO webhook_post (at, failed) SELECT at, true FROM unnest(%(moments)s::timestamptz[]) at
"""

#: A process that was not seen for too long, or whose clock went back, begins anew.
_SEEN = """
    INSERT INTO webhook_receiver AS old (id, since, seen) VALUES (%(receiver)s, %(now)s, %(now)s)
    ON CONFLICT (id) DO UPDATE SET seen = excluded.seen,
       since = CASE WHEN excluded.seen BETWEEN old.seen AND old.seen + %(pause)s::interval
                    THEN old.since ELSE excluded.since END
"""

_EXPIRE = """
    WITH posts AS (DELETE FROM webhook_post WHERE at < %(before)s)
    DELETE FROM webhook_receiver WHERE seen < %(before)s
"""

_POSTS = "SELECT at, failed FROM webhook_post WHERE at >= %(since)s ORDER BY at"
_RECEIVERS = "SELECT since, seen FROM webhook_receiver WHERE seen >= %(since)s ORDER BY since"


class WebhookLineStore(DatabaseStore):
    """Stores which posts came, which failed, and which processes could receive them.

    Of many posts in a short time one is stored. Those that failed are remembered until a process
    is seen again: the database may be why they failed, and anybody may post what is refused.
    """

    def __init__(self, engine: Engine, spacing: timedelta) -> None:
        super().__init__(engine)
        self._spacing = spacing
        self._lock = Lock()
        self._last: datetime | None = None
        self._failed: list[datetime] = []

    def record_post(self, attempts: Collection[str], now: datetime) -> None:
        """Record that a post came which brought events of these attempts."""
        if not attempts or (self._last and self._last <= now < self._last + self._spacing):
            return
        if self._execute(_RECEIVED, attempts=sorted(attempts), now=now):
            self._last = now

    def remember_failure(self, now: datetime) -> None:
        """Note that a post was refused, or could not be stored; it asks nothing of the database."""
        with self._lock:
            if not self._failed or not self._failed[-1] <= now < self._failed[-1] + self._spacing:
                self._failed.append(now)

    def record_receiver(self, receiver: str, now: datetime, pause: timedelta) -> None:
        """Record that a process can receive; it begins anew if it was unseen for longer."""
        with self._lock:
            failed, self._failed = self._failed, []
        try:
            with transaction(self._engine) as session:
                execute(session, _SEEN, {"receiver": receiver, "now": now, "pause": pause})
                execute(session, _FAILED, {"moments": failed})
                execute(session, _EXPIRE, {"before": now - _KEPT})
        except BaseException:
            with self._lock:
                self._failed = failed + self._failed
            raise

    def line(self, since: datetime) -> WebhookLine:
        """Return what was seen of the line since a moment."""
        with transaction(self._engine) as session:
            posts = rows(session, _POSTS, {"since": since})
            receivers = rows(session, _RECEIVERS, {"since": since})
        return WebhookLine(
            received=tuple(post["at"] for post in posts if not post["failed"]),
            failed=tuple(post["at"] for post in posts if post["failed"]),
            alive=tuple((one["since"], one["seen"]) for one in receivers),
        )
