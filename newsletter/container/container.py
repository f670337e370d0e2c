"""Every service, wired from the parts it needs."""

from newsletter.container.web import WebParts


class Container(WebParts):
    """Makes each part of the service when it is first asked for.

    What is `given` replaces a seam, and is left open by `close`. Any other part may be replaced by
    an assignment before its first use.
    """
