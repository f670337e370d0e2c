"""How many letters left the house: a question, never a change."""

from datetime import datetime

from sqlalchemy import Engine, text

_ACCEPTED = """
    SELECT COALESCE(sum(batch.size), 0) FROM issue JOIN batch ON batch.issue_id = issue.id
     WHERE issue.list = :list AND issue.planned_at >= :since AND batch.state = 'accepted'
"""


def accepted_since(engine: Engine, newsletter: str, since: datetime) -> int:
    """Return how many letters SendGrid took of issues to this newsletter's list."""
    with engine.begin() as connection:
        values = {"list": newsletter, "since": since}
        return int(connection.execute(text(_ACCEPTED), values).scalar_one())
