"""The vendor's client sends all its requests through one opener.

By itself it makes one for each request, and with it a TLS context: to load the authorities that a
system trusts takes longer than all else that a request of a batch takes.
See docs/decisions/one-opener-for-sendgrid.md.
"""

import urllib.request
from functools import cache, partial
from ssl import create_default_context
from typing import Any
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    UnknownHandler,
)

from python_http_client import client

_HANDLERS = (
    *(ProxyHandler, UnknownHandler, HTTPHandler),
    *(HTTPDefaultErrorHandler, HTTPErrorProcessor),
)


@cache
def opener() -> OpenerDirector:
    """Return the one opener of this process; nothing of a request stays in it.

    It follows no redirect: another host would be given our key, and a letter would become a GET.
    """
    context = create_default_context()
    context.set_alpn_protocols(["http/1.1"])  # as http.client does for a context of its own
    made = OpenerDirector()
    for handler in (*_HANDLERS, partial(HTTPSHandler, context=context)):
        made.add_handler(handler())
    return made


class Urllib:
    """What the vendor's module uses of `urllib.request`."""

    Request = urllib.request.Request
    build_opener = staticmethod(opener)


def share_opener() -> None:
    """Let every client of the vendor's in this process use the one opener."""
    module: Any = client
    module.urllib = Urllib
