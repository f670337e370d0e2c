"""What anybody may read on the web: issues that are out, their stories, and nothing else."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from newsletter.core.correction import correction_of
from newsletter.core.edition import Letter, edition_of
from newsletter.core.galley import plain_line
from newsletter.core.issue import Issue, IssueEntry
from newsletter.core.printed_story import (
    PrintedStory,
    StoryNow,
    StoryState,
    printed_picture,
    printed_story,
    story_path,
)
from newsletter.core.publication import Newsletter, day_of
from newsletter.core.stored import StoredIssue
from newsletter.core.web_view import WebView
from newsletter.errors import NotFound
from newsletter.services.publishing import Publishing
from newsletter.stores.printed_stories import (
    ListedIssue,
    ListedMonth,
    ListedStory,
    PrintedStoryStore,
)


@dataclass(frozen=True, kw_only=True)
class PublicIssue:
    """An edition as anybody may see it."""

    letter: Letter
    pictures: tuple[str, ...]  #: addresses of those it shows


@dataclass(eq=False)
class PublicPages:
    """Reads issues and stories as everybody may see them; what is not out raises NotFound."""

    publishing: Publishing
    stories: PrintedStoryStore
    newsletters: Mapping[str, Newsletter]

    def issue(self, newsletter: Newsletter, on: date, key: str | None = None) -> PublicIssue:
        """Return an edition of an issue, the whole of it by default."""
        stored = self.publishing.issue(newsletter, on)
        if stored.planned_at is None:
            raise NotFound(f"the issue of {on} is not out yet")
        ids = [entry.brief_id for entry in stored.issue.entries]
        if key is not None:
            ids = self.publishing.issues.edition(stored.id, key)
        if ids is None:
            raise NotFound(f"there is no such edition of {on}")
        edition = edition_of(stored.issue, ids)
        part = stored.issue.only(ids)
        web = self._web_view(newsletter, part)
        return PublicIssue(
            letter=self.publishing.letter(stored, edition, web=web),
            pictures=tuple(_pictures(part, web)),
        )

    def published(self, newsletter: Newsletter, limit: int) -> tuple[StoredIssue, ...]:
        """Return the issues that are out, the newest first, at most so many."""
        return self.publishing.issues.published(newsletter.slug, limit)

    def withdrawn(self, issues: Iterable[StoredIssue]) -> frozenset[int]:
        """Return which briefs of these issues everybody may read no longer."""
        now = self.stories.now({e.brief_id for one in issues for e in one.issue.entries})
        return frozenset(one for one in now if now[one].state is StoryState.WITHDRAWN)

    def story(self, newsletter: Newsletter, brief_id: int) -> PrintedStory:
        """Return a story that this newsletter or its digest printed in an issue that is out."""
        found = self.find(newsletter, brief_id)
        if found is None:
            raise NotFound(f"{newsletter.name} has printed no brief {brief_id}")
        return found

    def find(self, newsletter: Newsletter, brief_id: int) -> PrintedStory | None:
        """Return the same; None if it was not printed."""
        home = newsletter.readers.newsletter
        slugs = [one.slug for one in self.newsletters.values() if one.readers.newsletter == home]
        record = self.stories.find(slugs, brief_id)
        return printed_story(newsletter, record) if record else None

    def address(self, story: PrintedStory) -> str:
        """Return where everybody can read a story."""
        return self.publishing.base_url + story.path

    def months(self, newsletter: Newsletter) -> tuple[ListedMonth, ...]:
        """Return the months with issues that are out, the oldest first."""
        return self.stories.months(newsletter.slug)

    def issues_of(self, newsletter: Newsletter, month: date) -> tuple[ListedIssue, ...]:
        """Return the issues of a month that are out; NotFound if there is none."""
        found = self.stories.issues_of(newsletter.slug, month)
        if not found:
            raise NotFound(f"{newsletter.name} has no issue of {month:%B %Y}")
        return found

    def stories_of(self, newsletter: Newsletter, month: date) -> tuple[ListedStory, ...]:
        """Return the stories of a month; those of a digest are listed as its newsletter's."""
        return () if newsletter.week_of else self.stories.stories_of(newsletter.slug, month)

    def _web_view(self, newsletter: Newsletter, issue: Issue) -> WebView:
        now = self.stories.now(entry.brief_id for entry in issue.entries)
        home = newsletter.readers.newsletter
        return WebView(
            corrections=dict(_corrections(newsletter, issue, now)),
            withdrawn=dict(_withdrawn(newsletter, issue, now)),
            pages={e.brief_id: story_path(home, e.brief_id, e.brief.title) for e in issue.entries},
        )


def _pictures(issue: Issue, web: WebView) -> Iterator[str]:
    """Yield the address of the one picture that an edition shows, above its first lead."""
    first = next((entry for entry in issue.entries if entry.lead), None)
    picture = printed_picture(first) if first and first.brief_id not in web.withdrawn else None
    if picture:
        yield picture.url


def _corrections(
    newsletter: Newsletter, issue: Issue, now: Mapping[int, StoryNow]
) -> Iterator[tuple[int, str]]:
    """Yield what an issue prints otherwise than its briefs say now, by the brief."""
    for entry, story in _with_now(issue, now):
        if story.accepted:
            on = day_of(newsletter.timetable, story.accepted_at or story.revised_at)
            if one := correction_of(entry, story.brief, on):
                yield entry.brief_id, one.said


def _withdrawn(
    newsletter: Newsletter, issue: Issue, now: Mapping[int, StoryNow]
) -> Iterator[tuple[int, str]]:
    for entry, story in _with_now(issue, now):
        if story.state is StoryState.WITHDRAWN:
            on = day_of(newsletter.timetable, story.since)
            title = plain_line(entry.brief.title)
            yield entry.brief_id, f"“{title}” was withdrawn on {on.day} {on:%B %Y}."


def _with_now(issue: Issue, now: Mapping[int, StoryNow]) -> Iterator[tuple[IssueEntry, StoryNow]]:
    return ((e, now[e.brief_id]) for e in issue.entries if e.brief_id in now)
