"""The demo's briefs: ten for print, and three that show what verification is for."""

from datetime import UTC, datetime
from pathlib import Path

from newsletter.adapters.sources.files import find_files, read_file
from newsletter.core.brief import Brief, Verification
from newsletter.core.keywords import suggest_topics
from newsletter.core.verification import CheckContext, KnownBrief, Ruling, Verdict, verify
from newsletter.settings import load_settings

ROOT = Path(__file__).parents[2]
NEWSLETTER = load_settings(ROOT / "config").newsletter("technology")


def verified_briefs() -> list[tuple[Brief, Verdict]]:
    passed: list[tuple[Brief, Verdict]] = []
    others: list[KnownBrief] = []
    for number, path in enumerate(find_files([ROOT / "newsletter" / "demo" / "briefs"])):
        (brief,) = read_file(path)
        context = CheckContext(
            newsletter=NEWSLETTER,
            now=datetime(2026, 3, 31, tzinfo=UTC),
            topics=suggest_topics(NEWSLETTER, brief),
            others=tuple(others),
        )
        passed.append((brief, verify(brief, context)))
        others.append(
            KnownBrief(brief_id=number, title=brief.title, url=brief.source.url, printed=False)
        )
    return passed


def test_ten_of_thirteen_are_accepted_and_each_other_has_its_own_reason() -> None:
    verdicts = [verdict for _, verdict in verified_briefs()]
    failed = [
        [finding.check for finding in verdict.findings if not finding.passed]
        for verdict in verdicts
        if verdict.ruling is not Ruling.ACCEPTED
    ]
    assert len(verdicts) == 13
    assert failed == [["minimum_verification"], ["source_url"], ["duplicate"]]


def test_six_topics_have_a_story_and_every_story_reads_well() -> None:
    accepted = [pair for pair in verified_briefs() if pair[1].ruling is Ruling.ACCEPTED]
    # Not every topic of the configuration: a new one needs no sample of its own.
    covered = {topic for _, verdict in accepted for topic in verdict.topics}
    assert covered >= {"ai-models", "chips", "security", "policy", "software", "robotics"}
    assert all(35 <= len(brief.summary.split()) <= 80 for brief, _ in accepted)
    assert all(brief.published is None for brief, _ in accepted)
    partial = [brief for brief, _ in accepted if brief.verification is Verification.PARTIAL]
    assert len(partial) >= 2
