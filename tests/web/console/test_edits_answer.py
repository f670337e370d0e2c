"""What the page of an issue says after an edit, and of what cannot be done as it stands."""

import re
import socket
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.container import TODAY, TestContainer, brief
from tests.web.console.day import ISSUE, day_of_practice
from tests.web.console.serving import OURS, ConsoleClient, url_of

pytestmark = pytest.mark.postgres

_HTMX = OURS | {"HX-Request": "true", "HX-Target": "all"}
_STATUS = re.compile(r'role="status" aria-live="polite" id="moved">([^<]*)<')


@pytest.fixture
def container(engine: Engine, listener: socket.socket, tmp_path: Path) -> TestContainer:
    return day_of_practice(engine, url_of(listener), tmp_path)


@pytest.fixture
def editor(members: dict[str, ConsoleClient]) -> ConsoleClient:
    return members["edit"]


def content_hash(container: TestContainer) -> str:
    return container.publishing.issue(container.newsletter, TODAY).content_hash or ""


@pytest.mark.parametrize(
    ("tail", "said"),
    [
        ("wording", "Subject, preheader and note are saved: the letter has them."),
        ("stories/{}/line", "The short line is saved."),
        ("stories/{}/pin", "It is pinned: it leads the issue."),
        ("stories/{}/leave-out", "It is left out of this issue"),
    ],
)
def test_an_edit_is_answered_with_and_without_a_script(
    tail: str, said: str, container: TestContainer, editor: ConsoleClient
) -> None:
    path = f"{ISSUE}/{tail.format(number(container, 'chips'))}"
    form = {"content_hash": content_hash(container), "subject": "One", "line": "Short"}
    led = editor.post(path, **form).headers["location"]
    page = editor.get(f"{led}&count=1").text
    form |= {"content_hash": content_hash(container), "subject": "Two", "line": "Shorter"}
    if "leave-out" in tail:
        path = f"{ISSUE}/{tail.format(number(container, 'security'))}"
    part = editor.ask("POST", path, data=form, headers=_HTMX).text
    for answer in (page, part):
        assert [one for one in _STATUS.findall(answer) if one.startswith(said)]


def test_too_long_a_subject_stays_in_its_field_with_the_reason(
    container: TestContainer, editor: ConsoleClient
) -> None:
    page = editor.get(f"{ISSUE}?count=1").text
    assert (
        "maxlength" not in re.findall(r'<(?:input|textarea) id="(?:subject|note)"[^>]*>', page)[0]
    )
    subject = "A long subject, " * 700 + "ends"
    answer = editor.post(f"{ISSUE}/wording", content_hash=content_hash(container), subject=subject)
    assert answer.status_code == 422
    assert "The subject has 11204 characters; 60 fit." in answer.text
    assert subject in answer.text


def test_a_subject_whose_story_left_the_issue_is_to_be_looked_at(
    container: TestContainer, editor: ConsoleClient
) -> None:
    """Saved again without a look, it would promise another story: that is refused."""
    chips = number(container, "chips")
    form = {"subject": "Chips are cheap", "about": chips}
    editor.post(f"{ISSUE}/wording", content_hash=content_hash(container), **form)
    assert "Nobody gets" not in editor.get(f"{ISSUE}/checks").text
    editor.post(f"{ISSUE.replace(f'issues/{TODAY}', f'briefs/{chips}')}/hold")
    page = editor.get(f"{ISSUE}?count=1").text
    checks = editor.get(f"{ISSUE}/checks").text
    assert "Nobody gets “Chips are cheap”: the story that it promises is not in the" in checks
    assert f'<option value="{chips}" selected>One that is not in the issue' in page
    answer = editor.post(f"{ISSUE}/wording", content_hash=content_hash(container), **form)
    assert answer.status_code == 422
    assert "is not in the issue any more: choose one" in answer.text


def test_a_brief_that_a_person_holds_says_who(
    container: TestContainer, editor: ConsoleClient
) -> None:
    path = f"{ISSUE.replace(f'issues/{TODAY}', 'briefs')}/{number(container, 'chips')}"
    editor.post(f"{path}/hold")
    assert "Held by edit@example.org." in editor.get(path).text


def test_whoever_writes_a_brief_chooses_its_label(editor: ConsoleClient) -> None:
    page = editor.get(f"{ISSUE.replace(f'issues/{TODAY}', 'briefs/new')}").text
    [options] = re.findall(r'<select id="verification".*?</select>', page)
    assert "selected" not in options
    assert '<option value="">Choose</option>' in options


def number(container: TestContainer, topic: str) -> int:
    stored = container.briefs.find(brief(topic).key)
    assert stored
    return stored.brief_id
