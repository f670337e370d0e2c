"""Topics are the author's, or those that the newsletter's keywords suggest."""

from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.adapters.sources.files import read_file
from newsletter.core.brief import Brief
from newsletter.core.keywords import named_topics, suggest_topics
from newsletter.settings import load_settings

ROOT = Path(__file__).parents[2]
NEWSLETTER = load_settings(ROOT / "config").newsletter("technology")
PLAIN = Brief(key="k", title="Nothing in particular", pillar="Technology", summary="Happened.")


def suggested(**said: object) -> tuple[str, ...]:
    return suggest_topics(NEWSLETTER, replace(PLAIN, **said))  # type: ignore[arg-type]


def test_the_saved_page_is_about_models_first_then_policy_and_chips() -> None:
    (brief,) = read_file(ROOT / "tests" / "adapters" / "sources" / "pages" / "technology-brief.txt")
    assert suggest_topics(NEWSLETTER, brief) == ("ai-models", "policy", "chips")


def test_the_authors_known_topics_stand_in_the_authors_order() -> None:
    topics = ("security", "gardening", "chips", "security")
    assert suggested(topics=topics, title="Robots everywhere") == ("security", "chips")


def test_a_topic_is_known_by_its_printed_title_and_the_pillar_is_none() -> None:
    given = ("chips & compute", "AI models", "ai_models", "technology", "gardening", "security")
    assert named_topics(NEWSLETTER, given) == ("chips", "ai-models", "gardening", "security")


def test_an_author_without_a_known_topic_gets_suggestions() -> None:
    assert suggested(topics=("gardening",), title="Robots everywhere") == ("robotics",)


def test_nothing_fits_a_brief_about_nothing() -> None:
    assert suggested() == ()


def test_the_title_counts_more_than_the_summary_and_that_more_than_the_body() -> None:
    said = suggested(title="Robots", summary="Two lawsuits.", body=("A <em>data</em> center.",))
    assert said == ("robotics", "policy", "chips")


def test_ties_stand_as_the_newsletter_lists_them() -> None:
    assert suggested(title="Robots and chips") == ("chips", "robotics")
    assert suggested(title="Chips and robots") == ("chips", "robotics")


def test_at_most_three_topics_are_suggested() -> None:
    title = "Chatbots, chips, ransomware, lawsuits, databases and robots"
    assert suggested(title=title) == ("ai-models", "chips", "security")


@pytest.mark.parametrize(
    ("title", "topics"),
    [
        ("The chipmunk and the robotic arm", ()),
        ("A CHIP of the old block", ("chips",)),
        ("A new cve for beginners", ()),
        ("A new CVE for beginners", ("security",)),
        ("Self-driving cars", ("robotics",)),
        ("Open source\u00a0software wins", ("software",)),
    ],
)
def test_keywords_are_whole_words_and_acronyms_are_capitals(
    title: str, topics: tuple[str, ...]
) -> None:
    assert suggested(title=title) == topics
