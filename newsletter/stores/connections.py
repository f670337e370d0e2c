"""How many connections each process needs, and how many the server allows."""

from sqlalchemy import Engine

from newsletter.stores.duties import LEADING, OF_THE_WEB, WORK
from subscribers.db.transaction import scalar, transaction

QUEUE = 4  #: of each of the queue's two pools: jobs are added in one, and worked on in the other
WORKER = WORK.connections + 2 * QUEUE
SERVE = sum(duty.connections for duty in OF_THE_WEB) + WORKER + LEADING.connections

_ALLOWED = """
SELECT sum(setting::integer * CASE name WHEN 'max_connections' THEN 1 ELSE -1 END)
FROM pg_settings
WHERE name IN ('max_connections', 'superuser_reserved_connections', 'reserved_connections')
"""


def connections_allowed(engine: Engine) -> int:
    """Return how many connections ordinary users may have at once."""
    with transaction(engine) as session:
        return int(scalar(session, _ALLOWED))
