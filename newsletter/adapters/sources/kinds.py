"""The kinds of polled source, each with how it is read."""

from newsletter.adapters.sources.feeds import FEED
from newsletter.adapters.sources.items import KindReader
from newsletter.adapters.sources.wordpress import WORDPRESS
from newsletter.core.source import SourceKind

READERS: dict[SourceKind, KindReader] = {
    SourceKind.FEED: FEED,
    SourceKind.WORDPRESS: WORDPRESS,
}
