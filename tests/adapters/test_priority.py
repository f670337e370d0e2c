"""Giving way: by thread, once, and only with what is this machine's own for sure."""

import os
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from newsletter.adapters.priority import give_way, let_backend_give_way
from newsletter.container import Container
from tests.settings import settings_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="counts niceness by thread")


def niceness(process: int = 0) -> int:
    return os.getpriority(os.PRIO_PROCESS, process)


def in_a_thread(act: Callable[[], Any]) -> Any:
    """Return what it returns in a thread of its own, whose niceness ends with it."""
    said: list[Any] = []
    thread = threading.Thread(target=lambda: said.append(act()))
    thread.start()
    thread.join()
    return said[0]


def test_a_thread_gives_way_once_and_alone() -> None:
    before = niceness()

    def give_way_twice() -> list[int]:
        found: list[int] = []
        for wanted in (before + 2, before + 2, before + 1):
            give_way(wanted)
            found.append(niceness())
        return [*found, in_a_thread(niceness)]

    assert in_a_thread(give_way_twice) == [before + 2] * 4
    assert niceness() == before


def test_a_number_of_another_machine_is_no_process_of_this_one() -> None:
    before = niceness()
    near, far = socket.socketpair()
    with near, far, socket.create_server(("127.0.0.1", 0)) as network:
        for end in (near, network):
            strange: Any = SimpleNamespace(
                fileno=end.fileno, info=SimpleNamespace(backend_pid=os.getpid())
            )
            let_backend_give_way(strange, before + 1)
            assert niceness(os.getpid()) == before
            assert end.fileno() >= 0


@pytest.mark.postgres
def test_the_connections_of_what_gives_way_do_so_too(database_url: str) -> None:
    settings = settings_for(environment={"database_url": SecretStr(database_url)})
    processes = settings.service.processes.model_copy(update={"niceness": niceness() + 1})
    service = settings.service.model_copy(update={"processes": processes})

    def worked(container: Container) -> tuple[int, int]:
        container.give_way()
        with container.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            return niceness(), niceness(driver.info.backend_pid)

    with closing(Container(replace(settings, service=service))) as container:
        assert in_a_thread(lambda: worked(container)) == (niceness() + 1,) * 2
    with psycopg.connect(database_url) as another:
        assert niceness(another.info.backend_pid) == niceness()
