"""Previews: the letter that is sent, as anybody would get it, set in type once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from newsletter.core.color_scheme import ColorScheme
from newsletter.core.difference import DifferenceKind
from newsletter.core.letter_size import NOBODY
from newsletter.core.mailing import as_received, personal, personalized
from newsletter.errors import NotFound
from newsletter.services.preview import ReaderLinks
from subscribers.model import TopicSet
from tests.container import TODAY, TestContainer, brief, open_container
from tests.settings import TECHNOLOGY

pytestmark = pytest.mark.postgres

READER = "reader@example.com"


@pytest.fixture
def container(engine: Engine, tmp_path) -> TestContainer:
    container = open_container(engine)
    container.receive("chips", "policy", "security")
    container.subscribe(
        tmp_path,
        {
            READER: "chips",
            "two@example.com": "chips;policy",
            "three@example.com": "chips",
            "all@example.com": "",
            "robot@example.com": "robotics",
        },
    )
    return container


def test_a_preview_is_the_letter_that_is_sent(container):
    before = {
        one.edition.key: container.previews.for_edition(TECHNOLOGY, TODAY, one.edition.key)
        for one in container.forecasts.of(TECHNOLOGY, TODAY).editions
    }
    container.send_issue()
    sent = {letter.subject + letter.html for _, letter, _ in container.mailer.asked}
    assert sent == {one.composed.subject + one.composed.html for one in before.values()}
    for envelope, letter, _ in container.mailer.asked:
        [preview] = [one for one in before.values() if one.composed == letter]
        own = personal(envelope, NOBODY)
        shown = personalized(letter, own)
        assert preview.letter.text == _unlinked(shown.text, own)
        assert preview.letter.html == as_received(_unlinked(shown.html, own))


def _unlinked(text: str, own) -> str:
    for url in own.values.values():
        text = text.replace(url, "#") if url.startswith("https") else text
    return text


@pytest.mark.usefixtures("set_in_type_anew")
def test_another_person_costs_no_setting_and_a_changed_story_one(container):
    for _ in range(3):
        container.previews.for_email(TECHNOLOGY, TODAY, READER)
        container.previews.everything(TECHNOLOGY, TODAY)
    container.publishing.assemble(TECHNOLOGY, TODAY)
    assert container.renderer.compiles == 1


@pytest.mark.usefixtures("set_in_type_anew")
def test_a_changed_story_or_template_is_set_anew(container, tmp_path):
    container.previews.everything(TECHNOLOGY, TODAY)
    container.intake.receive(brief("chips", summary="Quite another summary, which is long enough."))
    assert "Quite another" in container.previews.everything(TECHNOLOGY, TODAY).letter.text
    assert container.renderer.compiles == 2
    renamed = replace(TECHNOLOGY, tagline="Another line")
    assert "Another line" in container.previews.everything(renamed, TODAY).letter.html


def test_no_preview_of_a_reader_holds_a_link_that_works(container):
    [one] = container.subscriptions.by_email(READER)
    own = personal(container.publishing.envelope(TECHNOLOGY), _recipient(one)).values
    for links in (ReaderLinks.NONE, ReaderLinks.NOBODY):
        shown = container.previews.for_email(TECHNOLOGY, TODAY, READER, links=links)
        assert READER in shown.letter.html
        for url in (value for value in own.values() if value.startswith("https")):
            said = (shown.letter.html, shown.letter.text, shown.eml.decode(), str(shown.headers))
            assert not any(url in part for part in said)


def _recipient(one):
    return NOBODY._replace(email=one.email, subscription_id=one.id, link_key=one.link_key)


def test_a_choice_that_gets_nothing_has_no_letter(container):
    with pytest.raises(NotFound, match="no letter is sent"):
        container.previews.for_topics(TECHNOLOGY, TODAY, ["robotics"])
    with pytest.raises(NotFound, match="its stories changed"):
        container.previews.for_edition(TECHNOLOGY, TODAY, "0" * 16)


def test_the_smallest_the_longest_and_the_largest(container):
    found = container.forecasts.of(TECHNOLOGY, TODAY)
    notable = container.previews.notable(TECHNOLOGY, TODAY, found)
    assert notable.largest.topics == TopicSet.of(["chips"])
    assert notable.smallest.edition.key == notable.largest.edition.key
    assert len(notable.longest.edition.brief_ids) == 3


def test_a_preview_in_the_dark_has_the_same_words(container):
    shown = container.previews.everything(TECHNOLOGY, TODAY)
    dark = shown.page(ColorScheme.DARK)
    assert "prefers-color-scheme" not in dark
    assert "@media all" in dark
    assert dark.partition("<body")[2] == shown.letter.html.partition("<body")[2]


def test_the_differences_to_the_issue_before(container):
    container.send_issue()
    container.clock.pass_time(days=1)
    container.intake.receive(brief("chips", title="Another foundry opens in the north", key="n"))
    tomorrow = TODAY + timedelta(days=1)
    shown = container.previews.everything(TECHNOLOGY, tomorrow)
    found = container.previews.since_last(TECHNOLOGY, tomorrow, shown)
    added = "".join(one.text for one in found if one.kind is DifferenceKind.ADDED)
    assert "another-foundry-opens" in added
    before = container.previews.last_inbox(TECHNOLOGY, tomorrow)
    assert before
    assert before.subject != shown.inbox.subject
    assert container.previews.last_inbox(TECHNOLOGY, TODAY) is None


def test_an_edited_draft_differs_from_the_one_that_is_stored(container):
    stored = container.publishing.assemble(TECHNOLOGY, TODAY)
    shown = container.previews.everything(TECHNOLOGY, TODAY)
    assert shown.content_hash == stored.content_hash
    kinds = {one.kind for one in container.previews.since(shown, stored)}
    assert kinds == {DifferenceKind.SAME}
