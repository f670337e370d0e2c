"""Examples of the JSON API, in an order that tells one story; each call has at least one.

To add one, write it where it belongs in the story, and have its answer recorded:
`RECORD_ANSWERS=1 pytest tests/web/api/test_examples.py`, then `make docs`.
"""

from tests.web.api.example import ON, Example
from tests.web.api.issue_examples import ISSUES

_MATCH = {"If-Match": "$etag"}

_CHIPS = {
    "key": "wafer-water",
    "title": "A foundry halves the water it needs for a wafer",
    "pillar": "Technology",
    "summary": "What was let go is now cleaned and used again, three times.",
    "source": "Example Wire",
    "source_url": "https://example.org/wafer-water",
    "verification": "verified",
    "topics": ["chips"],
    "minutes": 2,
}
_COURT = {
    "key": "refusal-reasons",
    "title": "A court asks for reasons behind an automated refusal",
    "pillar": "Technology",
    "summary": "Whoever is turned down by a program may ask what it looked at.",
    "source": "Example Wire",
    "source_url": "https://example.org/refusal-reasons",
    "verification": "verified",
    "topics": ["policy"],
    "minutes": 3,
}
_MAIL = {
    "key": "mail-library",
    "title": "A mail library mends a flaw that read past its buffer",
    "pillar": "Technology",
    "summary": "An update is there, and it takes a restart to use it.",
    "source": "Example Wire",
    "verification": "verified",
    "topics": ["security"],
    "minutes": 1,
}

BRIEFS = (
    Example(
        title="See what the token sees",
        call="GET /newsletters",
        remark="A brief is printed by the newsletter of its `pillar`; paths name its `slug`.",
    ),
    Example(
        title="Push the day's briefs",
        call="POST /briefs",
        body=[_CHIPS, _COURT, _MAIL],
        headers={"Idempotency-Key": f"{ON}-1"},
        keeps={"held": "/data/2/brief/id"},
        remark="The last one names no address of its source, and is held.",
        shows=("data",),
    ),
    Example(
        title="Push what is no brief",
        call="POST /briefs",
        body={"title": "Without a pillar", "minutes": "four"},
        status=422,
    ),
    Example(
        title="List what is held",
        call="GET /briefs",
        path="/briefs?newsletter=technology&status=held",
    ),
    Example(
        title="Read a list in parts",
        call="GET /briefs",
        path="/briefs?limit=1",
        keeps={"next_part": "/next"},
    ),
    Example(
        title="Read the next part", call="GET /briefs", path="/briefs?limit=1&after=$next_part"
    ),
    Example(
        title="Read why a brief is held",
        call="GET /briefs/{brief_id}",
        path="/briefs/$held",
        keeps={"etag": "ETag"},
        shows=("id", "key", "revision", "status", "reasons", "findings", "title"),
    ),
    Example(
        title="Mend a brief",
        call="PATCH /briefs/{brief_id}",
        path="/briefs/$held",
        body={"source_url": "https://example.org/mail-library"},
        headers=_MATCH,
        shows=("id", "revision", "status", "source_url"),
    ),
    Example(
        title="Change what somebody else has changed",
        call="PATCH /briefs/{brief_id}",
        path="/briefs/$held",
        body={"minutes": 4},
        headers=_MATCH,
        status=412,
        remark="`etag` is of the revision before: somebody who has not seen the change is refused.",
    ),
    Example(
        title="Hold a brief back",
        call="POST /briefs/{brief_id}/hold",
        path="/briefs/$held/hold",
        body={"because": "the vendor asks for an hour"},
        headers={"Idempotency-Key": "hold-17"},
        keeps={"etag": "ETag"},
        shows=("id", "revision", "status", "reasons", "held_by"),
    ),
    Example(
        title="Hold it back once more, since the answer was lost",
        call="POST /briefs/{brief_id}/hold",
        path="/briefs/$held/hold",
        body={"because": "the vendor asks for an hour"},
        headers={"Idempotency-Key": "hold-17"},
        remark="The same request under the same key: nothing is done, and the answer is the same.",
        shows=None,
    ),
    Example(
        title="Accept a brief",
        call="POST /briefs/{brief_id}/accept",
        path="/briefs/$held/accept",
        body={"because": "the hour is over"},
        headers=_MATCH,
        shows=("id", "revision", "status"),
    ),
)

READERS = (
    Example(
        title="Subscribe somebody",
        call="POST /readers",
        body={
            "email": "ann@example.com",
            "newsletter": "technology",
            "consent": "ticked the box at the fair",
            "confirmed": True,
            "topics": ["chips"],
        },
        status=201,
        keeps={"reader": "/reader"},
        remark="202, and a letter asks them to confirm it, without `confirmed`.",
    ),
    Example(title="Find a reader", call="GET /readers", path="/readers?email=ann@example.com"),
    Example(
        title="Read what a reader chose",
        call="GET /readers/{reader_id}",
        path="/readers/$reader",
        keeps={"etag": "ETag"},
    ),
    Example(
        title="Change what a reader chose",
        call="PATCH /readers/{reader_id}",
        path="/readers/$reader",
        body={
            "name": "Ann B",
            "subscriptions": {
                "technology": {
                    "topics": ["chips"],
                    "tags": ["vip"],
                    "paused_until": "2026-12-24",
                }
            },
        },
        headers=_MATCH,
    ),
    Example(
        title="Read all that is known of a reader",
        call="GET /readers/{reader_id}/history",
        path="/readers/$reader/history",
    ),
    Example(
        title="Let a reader leave",
        call="POST /readers/{reader_id}/leave",
        path="/readers/$reader/leave",
        body={"newsletter": "technology"},
    ),
    Example(
        title="Take the list along",
        call="GET /readers/export",
        path="/readers/export?newsletter=technology",
        remark="Each line of the answer is a JSON object; this is the first.",
    ),
    Example(
        title="Erase a reader",
        call="DELETE /readers/{reader_id}",
        path="/readers/$reader?because=asked+for+it",
        status=204,
    ),
)

WEBHOOKS = (
    Example(
        title="Add an endpoint",
        call="POST /webhooks",
        body={
            "name": "shop",
            "url": "https://hooks.example.com/in",
            "events": ["reader.left"],
        },
        status=201,
        keeps={"webhook": "/webhook/id"},
    ),
    Example(title="List the endpoints", call="GET /webhooks"),
    Example(
        title="Read an endpoint",
        call="GET /webhooks/{webhook_id}",
        path="/webhooks/$webhook",
        keeps={"etag": "ETag"},
    ),
    Example(
        title="Pause an endpoint",
        call="PATCH /webhooks/{webhook_id}",
        path="/webhooks/$webhook",
        body={"state": "paused", "because": "it moves"},
        headers=_MATCH,
    ),
    Example(
        title="Post a ping to it",
        call="POST /webhooks/{webhook_id}/test",
        path="/webhooks/$webhook/test",
    ),
    Example(
        title="Give it another secret",
        call="POST /webhooks/{webhook_id}/rotate",
        path="/webhooks/$webhook/rotate",
    ),
    Example(
        title="List what was posted to it",
        call="GET /webhooks/{webhook_id}/deliveries",
        path="/webhooks/$webhook/deliveries",
        keeps={"delivery": "/data/0/id"},
    ),
    Example(
        title="Post an event once more",
        call="POST /webhooks/{webhook_id}/deliveries/{delivery_id}/send-again",
        path="/webhooks/$webhook/deliveries/$delivery/send-again",
    ),
    Example(
        title="Remove an endpoint",
        call="DELETE /webhooks/{webhook_id}",
        path="/webhooks/$webhook",
        status=204,
    ),
)

EVENTS = (
    Example(
        title="Read what came about its letters",
        call="GET /events",
        path=f"/events?newsletter=technology&issue={ON}",
        first="two minutes pass",
    ),
    Example(
        title="Stream all that came about them",
        call="GET /events/export",
        path=f"/events/export?newsletter=technology&issue={ON}",
    ),
)

READING = (
    Example(
        title="Read the log", call="GET /decisions", path="/decisions?newsletter=technology&limit=3"
    ),
    Example(
        title="Read what operators are told",
        call="GET /notices",
        first="operators are told something",
        keeps={"notice": "/data/0/id"},
    ),
    Example(
        title="Take care of it, so that nobody else does",
        call="POST /notices/{alert_id}/take",
        path="/notices/$notice/take",
    ),
)

EXAMPLES = (*BRIEFS, *ISSUES, *EVENTS, *READERS, *WEBHOOKS, *READING)
