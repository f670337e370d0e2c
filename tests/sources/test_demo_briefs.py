"""The demo's briefs: ten for print, and three that show what the gate is for."""

from datetime import UTC, datetime
from pathlib import Path

from newsletter.adapters.sources import find_files, read_file
from newsletter.core.brief import Brief, Verification
from newsletter.core.keywords import suggest_topics
from newsletter.core.verification import Evidence, Known, Ruling, Verdict, verify
from newsletter.settings import load_settings

ROOT = Path(__file__).parents[2]
NEWSLETTER = load_settings(ROOT / "config").newsletter("technology")


def at_the_gate() -> list[tuple[Brief, Verdict]]:
    passed: list[tuple[Brief, Verdict]] = []
    others: list[Known] = []
    for number, path in enumerate(find_files([ROOT / "newsletter" / "demo" / "briefs"])):
        (brief,) = read_file(path)
        evidence = Evidence(
            newsletter=NEWSLETTER,
            now=datetime(2026, 3, 31, tzinfo=UTC),
            topics=suggest_topics(NEWSLETTER, brief),
            others=tuple(others),
        )
        passed.append((brief, verify(brief, evidence)))
        others.append(
            Known(brief_id=number, title=brief.title, url=brief.source.url, printed=False)
        )
    return passed


def test_ten_of_thirteen_are_accepted_and_each_other_has_its_own_reason() -> None:
    verdicts = [verdict for _, verdict in at_the_gate()]
    failed = [
        [finding.check for finding in verdict.findings if not finding.passed]
        for verdict in verdicts
        if verdict.ruling is not Ruling.ACCEPTED
    ]
    assert len(verdicts) == 13
    assert failed == [["verification_floor"], ["source_url"], ["duplicate"]]


def test_every_topic_has_a_story_and_every_story_reads_well() -> None:
    accepted = [pair for pair in at_the_gate() if pair[1].ruling is Ruling.ACCEPTED]
    assert {topic for _, verdict in accepted for topic in verdict.topics} == set(
        NEWSLETTER.topic_slugs
    )
    assert all(35 <= len(brief.summary.split()) <= 80 for brief, _ in accepted)
    assert all(brief.published is None for brief, _ in accepted)
    partial = [brief for brief, _ in accepted if brief.verification is Verification.PARTIAL]
    assert len(partial) >= 2
