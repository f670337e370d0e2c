"""The log in sentences: every verb that a service records, with what it records of it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import newsletter.services
from newsletter.settings import shipped
from newsletter.web.console.log_words import verb_key
from newsletter.web.console.words import Words
from tests.container import TODAY, TestContainer
from tests.staff import SHELL
from tests.web.console.serving import OWN_SLUG, ConsoleClient

SERVICES = Path(newsletter.services.__file__).parent
CONSOLE = SERVICES.parent / "web" / "console"
#: What passes a verb on, and at which place among its arguments.
_RECORDERS = {"_changed": 1, "_edit": 1, "record_look": 2}
_VERB = re.compile(r"[a-z]+(-[a-z]+)?( [a-z]+)*").fullmatch


def recorded_verbs() -> Iterator[str]:
    """Yield every verb that is written out where a decision is recorded."""
    for path in (*SERVICES.glob("*.py"), *CONSOLE.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield from _verbs(node, node.func)
            elif isinstance(node, ast.Call) and ast.unparse(node.func) == "DecisionEntry":
                yield from (
                    verb for one in node.keywords if one.arg == "verb" for verb in _said(one.value)
                )


def _verbs(node: ast.Call, called: ast.Attribute) -> Iterator[str]:
    logs = called.attr == "record" and "decisions" in ast.unparse(called.value)
    places = {"_record": range(1, 4)}.get(called.attr, [_RECORDERS.get(called.attr, 2)])
    if logs or called.attr in {*_RECORDERS, "_record"}:
        for place in places:
            yield from _said(node.args[place] if place < len(node.args) else None)


def _said(given: ast.expr | None) -> Iterator[str]:
    """Yield the verbs that an expression may be."""
    either = (given.body, given.orelse) if isinstance(given, ast.IfExp) else (given,)
    for one in either:
        if isinstance(one, ast.Constant) and _VERB(str(one.value)):
            yield str(one.value)


def test_every_verb_has_a_sentence_and_every_sentence_a_verb():
    words = Words(shipped("templates") / "console" / "words.toml")
    verbs = {verb_key(one) for one in recorded_verbs()}
    assert len(verbs) > 45
    assert verbs == {
        name.removeprefix("log.verb.") for name in words.names if name.startswith("log.verb.")
    }


_WORDED: dict[str, Any] = {"subject": "Old words", "note": "", "note_kind": "notice"}
_EDITED = {
    "before": {"order": [1, 2], "pinned": None, "short_lines": {}, "wording": _WORDED},
    "after": {"order": [2, 1], "pinned": 2, "short_lines": {"7": "Brief"}, "wording": _WORDED},
}
#: Of each kind what the services record; the issue is the first one.
RECORDED: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "move": ("issue 1", _EDITED, {}),
    "approve": ("issue 1", {"content_hash": "7f3a91c0ffffffff"}, {}),
    "list readers": ("issue 1", {"group": "to_go", "reason": "other_frequency", "readers": 5}, {}),
    "resolve": ("batch 17", {"resolution": "resend", "because": "it never came"}, {}),
    "accept": ("brief 3", {"waived": ["source_is_linked"]}, {}),
    "suppressed": ("suppression 0f1e2d3c4b5a6978", {"reason": "soft_bounce", "note": ""}, {}),
    "lifted": (
        "suppression 0f1e2d3c4b5a6978",
        {
            "because": "asked",
            "reason": "manual",
            "source": "a",
            "since": "2026-11-01 05:00:00+00:00",
        },
        {},
    ),
    "synced": (
        "suppressions",
        {"until": "2026-11-23T10:00:00+00:00", "listed": {"bounce": 3, "soft_bounce": 0}},
        {},
    ),
    "erased": ("erasure", {"subscribers": [41, 42]}, {}),
    "begin bulk change": (
        "readers",
        {"deed": "tag", "chosen_by": "file gone.csv", "rows": {"changes": 41, "already": 2}},
        {},
    ),
    "begin purge": ("import 3", {"removed": 41, "kept": 2}, {}),
    "purge": ("import 3", {"removed": 41}, {}),
    "renewed": ("installation", {"because": "a copy", "before": "0a1b2c"}, {}),
    "skip": (f"day {OWN_SLUG} 2026-11-26", {"because": "a holiday"}, {}),
    "signed in": ("staff 1", {"by": "provider"}, {}),
    "signed out everywhere": ("staff 1", {"sessions": 2}, {}),
    "search": ("unknown address", {}, {}),
    "preview": ("subscriber 12", {}, {}),
    "roles changed": (
        "staff 1",
        {},
        {
            "before": {"email": "e@example.org", "roles": ["see *"]},
            "after": {"email": "e@example.org", "roles": ["keep-list technology", "own *"]},
        },
    ),
}


@pytest.mark.postgres
def test_the_log_shows_no_raw_value(container: TestContainer, members: dict[str, ConsoleClient]):
    container.publishing.assemble(container.newsletter, TODAY)
    for verb, (subject, detail, change) in RECORDED.items():
        container.decisions.record(SHELL, subject, verb, detail, newsletter=OWN_SLUG, **change)
    page = members["own"].get(f"/{OWN_SLUG}/log").text
    table = re.sub(r"<[^>]+>", " ", page[page.index("<tbody>") : page.index("</tbody>")])
    rows = " ".join(table.split())
    for sign in "_{}[]":
        assert sign not in rows, rows[max(0, rows.find(sign) - 80) :][:160]
    for raw in ("None", "0f1e2d3c", "7f3a91c0ff", "T10:00", "own *", "unknown address"):
        assert raw not in rows
    for said in (
        "Moved a story in the issue of 23 November Before: Order: story 1, story 2 · First: noth",
        "After: Order: story 2, story 1 · First: story 2 ·",
        "story 7: Brief",
        "Approved the issue of 23 November Version: 7f3a 91c0",
        "Decided about batch 17 Reason: it never came · Decision: send once more",
        "Skipped the issue of 26 November Reason: a holiday",
        "Erased a reader Readers: 2",
        "Roles: Keep the list (technology), Own",
        "By: company sign-in",
        "Until: 23 November, 05:00",
    ):
        assert said in rows, said
