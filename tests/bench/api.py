"""The JSON API with a full list: handing over briefs, and a read of one of them."""

from dataclasses import dataclass
from functools import partial
from statistics import median

from anyio.from_thread import start_blocking_portal

from newsletter.container import Container
from newsletter.core.api_token import Scope
from newsletter.core.staff import LoginName
from newsletter.web.api.briefs import MOST
from tests.bench.installation import Installation
from tests.bench.measure import Stopwatch, stopwatch
from tests.web.api.asking import ApiClient, given_brief

_READS = 50


@dataclass(frozen=True)
class AskedOfApi:
    """What a program's requests took; of the client it is part of the time, too."""

    received: Stopwatch  #: all the briefs that one request may have
    read: float  #: milliseconds of one brief, with the check of the token; the median


def ask_api(installation: Installation, database: str) -> AskedOfApi:
    """Hand over briefs, and read one of them again and again."""
    with installation.container(database) as container, start_blocking_portal() as portal:
        container.api_services.rate_limit.per_minute = 10 * _READS
        api = ApiClient(container.api, portal, _token(container))
        given = [given_brief(number) for number in range(1, MOST + 1)]
        with stopwatch() as receiving:
            receipts = api.post("/briefs", given).json()["data"]
        assert {one["arrival"] for one in receipts} == {"new"}
        path = f"/briefs/{receipts[0]['brief']['id']}"
        return AskedOfApi(received=receiving, read=median(_milliseconds(api, path)))


def _token(container: Container) -> str:
    create = partial(container.api_tokens.create, by=LoginName("bench"))
    return create("bench", [Scope.BRIEFS_READ, Scope.BRIEFS_WRITE]).text


def _milliseconds(api: ApiClient, path: str) -> list[float]:
    took = list[float]()
    for _ in range(_READS):
        with stopwatch() as reading:
            assert api.get(path).status_code == 200
        took.append(1000 * reading.seconds)
    return took
