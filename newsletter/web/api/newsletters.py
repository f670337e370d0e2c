"""Newsletters: which of them a token sees, and the words that other calls need."""

from newsletter.core.publication import Newsletter
from newsletter.web.api.access import AnyToken
from newsletter.web.api.route import api_router
from newsletter.web.api.schemas import ApiModel, ListPage

router = api_router()


class TopicItem(ApiModel):
    """A topic that readers can choose."""

    slug: str
    title: str


class NewsletterItem(ApiModel):
    """A newsletter, or the weekly digest of one."""

    slug: str
    name: str
    pillar: str
    language: str
    zone: str
    topics: list[TopicItem]
    week_of: str | None


@router.get("/newsletters")
def newsletters(caller: AnyToken) -> ListPage[NewsletterItem]:
    """List the newsletters that the token sees."""
    return ListPage(data=[_shown(one) for one in caller.newsletters])


def _shown(newsletter: Newsletter) -> NewsletterItem:
    topics = [TopicItem.like(one) for one in newsletter.topics]
    return NewsletterItem.like(newsletter, newsletter.timetable, topics=topics)
