"""The views by which `subscribers.segments` asks who got and read an issue.

They are its only way to deliveries, as the view `audience` is the plan's to subscriptions. The bits
of `reported` are those of `newsletter.core.results`: nobody opened because a machine did.
"""

# Issues that were planned, each with its place among those of its newsletter: 1 is the latest. Of
# some the letters were let go, and nobody knows any longer who read them.
ISSUE_LEFT_VIEW = """
CREATE VIEW issue_left AS
SELECT id, newsletter, date,
       row_number() OVER (PARTITION BY newsletter ORDER BY date DESC) AS latest,
       EXISTS (SELECT FROM issue_summary WHERE issue_id = issue.id) AS let_go
FROM issue WHERE planned_at IS NOT NULL
"""

# At whom an issue arrived, and whether a person opened it or followed a link of it.
ISSUE_READER_VIEW = """
CREATE VIEW issue_reader AS
SELECT issue_id, subscriber_id, reported & 10 <> 0 AS opened, reported & 8 <> 0 AS clicked
FROM delivery
WHERE reported & 126 <> 0 OR reported & 1 <> 0 AND reported & 1920 = 0
"""

# Who followed the link of a story, as a person.
STORY_READER_VIEW = """
CREATE VIEW story_reader AS
SELECT printed.brief_id, delivery.subscriber_id
FROM issue_brief AS printed
JOIN delivery ON delivery.issue_id = printed.issue_id
JOIN story_click AS click ON click.issue_id = delivery.issue_id AND click.place = delivery.place
                       AND click.brief_id = printed.brief_id
WHERE click.hands & 1 <> 0
"""
