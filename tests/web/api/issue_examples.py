"""Examples of the calls about an issue: from a draft to an issue that is stopped."""

from tests.web.api.example import ON, Example, Kept

_ISSUE = "/issues/{newsletter}/{date}"
_HERE = f"/issues/technology/{ON}"
_DRAFT, _SEEN = Kept("draft"), Kept("seen")
_WHO = {"email": "r1@example.com"}

ISSUES = (
    Example(
        title="Assemble the issue",
        call=f"POST {_ISSUE}/assemble",
        path=f"{_HERE}/assemble",
        shows=("newsletter", "date", "status", "hash", "subject", "order", "stories"),
    ),
    Example(
        title="List the drafts",
        call="GET /issues",
        path="/issues?newsletter=technology&status=draft",
    ),
    Example(
        title="Read the issue",
        call=f"GET {_ISSUE}",
        path=_HERE,
        keeps={"etag": "ETag", "story": "/order/0"},
    ),
    Example(
        title="Change its subject and its lead",
        call=f"PATCH {_ISSUE}",
        path=_HERE,
        body={"subject": "Half the water", "lead": Kept("story", is_text=False), "note": "Hello."},
        headers={"If-Match": "$etag"},
    ),
    Example(
        title="Look at what is in its way",
        call=f"GET {_ISSUE}/preflight",
        path=f"{_HERE}/preflight",
        keeps={"draft": "/hash", "seen": "/findings/0/key"},
        remark="What is graded `stops` must be mended; what is graded `look`, looked at.",
    ),
    Example(
        title="Ask whom it would reach",
        call=f"GET {_ISSUE}/forecast",
        path=f"{_HERE}/forecast",
        keeps={"readers": "/readers"},
    ),
    Example(title="List its editions", call=f"GET {_ISSUE}/editions", path=f"{_HERE}/editions"),
    Example(
        title="Look at the letter of a topic",
        call=f"GET {_ISSUE}/letter",
        path=f"{_HERE}/letter?as=topics:chips&view=text",
    ),
    Example(
        title="Look at a reader's letter",
        call=f"POST {_ISSUE}/letter",
        path=f"{_HERE}/letter?view=text",
        body=_WHO,
    ),
    Example(
        title="Approve exactly this",
        call=f"POST {_ISSUE}/approve",
        path=f"{_HERE}/approve",
        body={"hash": _DRAFT, "seen": [_SEEN]},
        shows=("status", "hash", "approval"),
    ),
    Example(
        title="Take the approval back",
        call=f"POST {_ISSUE}/withdraw",
        path=f"{_HERE}/withdraw",
        body={"because": "a slip in the lead"},
        shows=("status", "reason", "withdrawn_by"),
    ),
    Example(
        title="Approve it again",
        is_on_page=False,
        call=f"POST {_ISSUE}/approve",
        path=f"{_HERE}/approve",
        body={"hash": _DRAFT, "seen": [_SEEN]},
        shows=("status", "hash", "approval"),
    ),
    Example(
        title="Send it before its hour",
        call=f"POST {_ISSUE}/send",
        path=f"{_HERE}/send",
        body={"hash": _DRAFT, "readers": Kept("readers", is_text=False)},
        shows=("status", "leaves_at", "leaves_by"),
    ),
    Example(
        title="Stop it while it leaves",
        call=f"POST {_ISSUE}/pause",
        path=f"{_HERE}/pause",
        body={"because": "a slip in the lead"},
        first="the first batch leaves",
        shows=("status", "reason", "paused_by", "counts"),
    ),
    Example(title="Read its account", call=f"GET {_ISSUE}/account", path=f"{_HERE}/account"),
    Example(
        title="Read its results",
        first="events come",
        call=f"GET {_ISSUE}/results",
        path=f"{_HERE}/results",
    ),
    Example(title="Compare the days", call="GET /results", path="/results?newsletter=technology"),
    Example(
        title="Ask what became of a reader's letter",
        call=f"GET {_ISSUE}/why",
        path=f"{_HERE}/why?email=r1@example.com",
    ),
    Example(
        title="Ask it without the address in the path",
        call=f"POST {_ISSUE}/why",
        path=f"{_HERE}/why",
        body=_WHO,
        shows=("answer",),
    ),
    Example(
        title="Let it go on",
        call=f"POST {_ISSUE}/resume",
        path=f"{_HERE}/resume",
        body={"because": "there was no slip"},
        shows=("status", "counts"),
    ),
    Example(
        title="Send nothing more of it",
        call=f"POST {_ISSUE}/cancel",
        path=f"{_HERE}/cancel",
        body={"because": "there was one after all"},
        shows=("status", "counts"),
    ),
)
