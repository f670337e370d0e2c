"""Checking of a link: HEAD, and GET where HEAD is not answered well."""

from datetime import datetime

import httpcore

from newsletter.adapters.sources.fetching import Fetcher, FetchFailed, LinkAnswer
from newsletter.adapters.sources.network import Deadline, UnknownHost
from newsletter.core.link_check import LinkCheck, LinkState, link_state

_GOOD = range(200, 300)


class LinkChecker:
    """Asks whether there is something behind a link; an error of any kind is an answer."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    def __call__(self, url: str, now: datetime) -> LinkCheck:
        try:
            answer = self._answer(url)
        except UnknownHost as error:
            return LinkCheck(url=url, state=LinkState.DEAD, reason=str(error), at=now)
        except (FetchFailed, httpcore.TimeoutException, httpcore.NetworkError) as error:
            reason = str(error) or "it did not answer in time"
            return LinkCheck(url=url, state=LinkState.UNSURE, reason=reason, at=now)
        except Exception as error:  # noqa: BLE001  # a stranger's server must not stop the others
            reason = f"unexpected {type(error).__name__}"
            return LinkCheck(url=url, state=LinkState.UNSURE, reason=reason, at=now)
        return LinkCheck(
            url=url,
            state=link_state(answer.status),
            reason="" if answer.status in _GOOD else f"it answered {answer.status}",
            final_url=answer.url,
            length=answer.length,
            at=now,
        )

    def _answer(self, url: str) -> LinkAnswer:
        deadline = Deadline(self._fetcher.limits.seconds)
        answer = self._fetcher.probe("HEAD", url, deadline)
        if answer.status in _GOOD:
            return answer
        return self._fetcher.probe("GET", url, deadline)
