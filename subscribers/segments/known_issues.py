"""Refuses a filter about what nobody knows: an issue that never left, or a story never printed.

So is whoever read an issue whose letters were let go: such a filter would match nobody.
"""

from sqlmodel import Session

from subscribers.db.transaction import rows
from subscribers.errors import InvalidSegment
from subscribers.segments.filters import Filter

_LET_GO = "the letters were let go, and nobody knows any longer who read them"

# What has not left, the first one asked about. Of the newsletter itself "the last three" may be
# none as yet.
_UNKNOWN_ISSUES = """
SELECT asked.newsletter, asked.date
FROM unnest(%(newsletters)s::text[], %(dates)s::date[]) AS asked (newsletter, date)
WHERE NOT EXISTS (
        SELECT FROM issue_left WHERE issue_left.newsletter = asked.newsletter
           AND issue_left.date = COALESCE(asked.date, issue_left.date))
  AND (asked.date IS NOT NULL OR asked.newsletter <> %(own)s)
ORDER BY 1, 2
"""
_UNKNOWN_STORIES = """
SELECT asked.id FROM unnest(%(stories)s::bigint[]) AS asked (id)
WHERE NOT EXISTS (SELECT FROM issue_brief WHERE brief_id = asked.id) ORDER BY 1
"""
_LET_GO_ISSUES = """
SELECT issue_left.newsletter, issue_left.date
FROM unnest(%(newsletters)s::text[], %(dates)s::date[]) AS asked (newsletter, date)
JOIN issue_left USING (newsletter, date) WHERE let_go ORDER BY 1, 2
"""
_LET_GO_STORIES = """
SELECT asked.id FROM unnest(%(stories)s::bigint[]) AS asked (id)
JOIN issue_brief ON brief_id = asked.id JOIN issue_left ON issue_left.id = issue_id
GROUP BY 1 HAVING bool_and(let_go) ORDER BY 1
"""


def refuse_unknown(session: Session, newsletter: str, chosen: Filter) -> None:
    """Raise InvalidSegment, which names what is not there."""
    filters = [chosen, *chosen.any_of]
    refs = [ref for one in filters for ref in one.issues]
    values = {
        "newsletters": [ref.newsletter or newsletter for ref in refs],
        "dates": [ref.day for ref in refs],
        "own": newsletter,
        "stories": [number for one in filters for number in one.clicked_stories],
    }
    for row in rows(session, _UNKNOWN_ISSUES, values):
        when = f" on {row['date']}" if row["date"] else " yet"
        raise InvalidSegment(f"no issue of {row['newsletter']} left{when}")
    for row in rows(session, _UNKNOWN_STORIES, values):
        raise InvalidSegment(f"clicked-stories: no issue printed the brief {row['id']}")
    for row in rows(session, _LET_GO_ISSUES, values):
        raise InvalidSegment(f"{row['newsletter']}, {row['date']}: {_LET_GO}")
    for row in rows(session, _LET_GO_STORIES, values):
        raise InvalidSegment(f"clicked-stories: of the brief {row['id']}, {_LET_GO}")
