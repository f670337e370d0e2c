"""Batches as jobs of Procrastinate, in the same PostgreSQL: any machine's worker may take one.

A job only says "look at these few batches"; whether one is sent is decided by its claim. A job too
many is therefore harmless, and a lost one is made again by `Recovery.recover`.
See docs/decisions/jobs-name-batches.md.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import procrastinate
import psycopg
from procrastinate import exceptions
from procrastinate.jobs import Job
from sqlalchemy import Engine

from newsletter.stores.connections import QUEUE
from newsletter.stores.database import connection_parts
from subscribers.db.transaction import rows, transaction

_QUEUE = "batches"
_TASK = "send_batches"
_HEARTBEAT = 2  #: seconds
_DEAD_AFTER = timedelta(seconds=10)  #: since the last heartbeat; then its jobs are made again
_REST = 2  #: seconds before a database that went away is asked again
_MOMENTS = 10.0  #: seconds that a worker waits for; a job for later is looked for every five
_AT_ONCE = 500  #: jobs added in one statement
_FEW = 16  #: batches of a job, at most: its own cost is then small beside theirs
_SHARES = 32  #: jobs, at least, before one holds several batches: every worker gets some

logging.getLogger("procrastinate").setLevel(logging.WARNING)  # it logs every job at INFO

_log = logging.getLogger(__name__)

#: Batches that no waiting job names yet; where `running` is asked for, no job of a living worker
#: either.
_WITHOUT_JOB = """
    SELECT id FROM unnest(%(ids)s::bigint[]) AS batch (id)
     WHERE id NOT IN (
        SELECT CAST(jsonb_array_elements(args -> 'batch_ids') AS bigint) FROM procrastinate_jobs
         WHERE task_name = %(task)s
           AND (status = 'todo'
                OR (%(running)s AND status = 'doing'
                    AND worker_id IN (SELECT id FROM procrastinate_workers
                                       WHERE last_heartbeat > now() - %(dead_after)s))))
     ORDER BY id
"""


class JobQueue:
    """BatchQueue on Procrastinate."""

    def __init__(self, engine: Engine, *, concurrency: int) -> None:
        parts = connection_parts(engine.url)
        self._engine, self._concurrency = engine, concurrency
        # Two connections to one queue: jobs are added from plain threads, and worked on by a loop.
        pool: dict[str, Any] = {"kwargs": parts, "min_size": QUEUE, "max_size": QUEUE}
        self._asking = procrastinate.App(connector=procrastinate.SyncPsycopgConnector(**pool))
        self._working = procrastinate.App(connector=procrastinate.PsycopgConnector(**pool))
        self._opening = threading.Lock()
        self._open = False
        self._stopped = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._worker: asyncio.Task[None] | None = None

    def on_batches(self, send_batches: Callable[[Iterable[int]], None]) -> None:
        """Say what a worker of this process does with batches."""

        def send(batch_ids: list[int]) -> None:
            send_batches(self._until_stopped(batch_ids))

        self._working.task(name=_TASK, queue=_QUEUE)(send)

    def _until_stopped(self, batch_ids: list[int]) -> Iterator[int]:
        """Yield a job's batches; once this worker is to stop, leave the rest to others."""
        for place, batch_id in enumerate(batch_ids):
            if self._stopped.is_set():
                return self.enqueue(batch_ids[place:])
            yield batch_id
        return None

    def enqueue(
        self,
        batch_ids: Iterable[int],
        *,
        at: datetime | None = None,
        unless_running: bool = False,
    ) -> None:
        """Ask some worker to send each batch; asking twice is asking once."""
        ids = self._without_job(list(batch_ids), running=unless_running)
        if not ids:
            return
        self._open_once()
        few = max(1, min(_FEW, len(ids) // _SHARES))
        jobs = [self._job(ids[start : start + few], at) for start in range(0, len(ids), few)]
        for start in range(0, len(jobs), _AT_ONCE):
            some = jobs[start : start + _AT_ONCE]
            try:
                self._defer(some)
            except exceptions.AlreadyEnqueued:
                # Another process asked for one of them in between: then each by itself.
                for job in some:
                    with contextlib.suppress(exceptions.AlreadyEnqueued):
                        self._defer([job])

    def _without_job(self, wanted: list[int], *, running: bool) -> list[int]:
        values = {"ids": wanted, "task": _TASK, "running": running, "dead_after": _DEAD_AFTER}
        with transaction(self._engine) as session:
            return [row["id"] for row in rows(session, _WITHOUT_JOB, values)]

    def wait(self, seconds: float) -> bool:
        """Wait; False, at once, if that is long enough to do something else."""
        return seconds <= _MOMENTS and not self._stopped.wait(max(seconds, 0.0))

    def work(self, *, until_empty: bool) -> None:
        """Work on batches: until `stop`, or until none is waiting.

        A worker that is to stay waits for a database that went away, and goes on.
        """
        while True:
            try:
                return asyncio.run(self._work(until_empty=until_empty))
            except (exceptions.ConnectorException, psycopg.OperationalError) as error:
                if until_empty or self._stopped.is_set():
                    raise
                _log.warning("the database went away; asked again soon: %s", type(error).__name__)
                self._stopped.wait(_REST)

    def stop(self) -> None:
        """Let the batches in hand be recorded, and take no others, now or later."""
        self._stopped.set()
        loop, worker = self._loop, self._worker
        if loop and worker:
            with contextlib.suppress(RuntimeError):  # it ended in between
                loop.call_soon_threadsafe(worker.cancel)

    async def _work(self, *, until_empty: bool) -> None:
        async with self._working.open_async():
            self._loop = asyncio.get_running_loop()
            self._worker = asyncio.create_task(
                self._working.run_worker_async(
                    queues=[_QUEUE],
                    concurrency=self._concurrency,
                    wait=not until_empty,
                    delete_jobs="successful",
                    update_heartbeat_interval=_HEARTBEAT,
                    install_signal_handlers=False,
                )
            )
            if self._stopped.is_set():
                self._worker.cancel()
            try:
                await self._worker
            except asyncio.CancelledError:
                pass  # `stop` asked for it, and the batches in hand are recorded
            finally:
                self._loop = self._worker = None

    def close(self) -> None:
        if self._open:
            self._asking.close()
            self._open = False

    def _open_once(self) -> None:
        with self._opening:
            if not self._open:
                self._asking.open()
                self._open = True

    def _defer(self, jobs: list[Job]) -> None:
        self._asking.job_manager.batch_defer_jobs(jobs)

    def _job(self, batch_ids: list[int], at: datetime | None) -> Job:
        # Two processes that ask for the same batches at once divide them alike.
        lock = f"batch:{batch_ids[0]}"
        task = self._asking.configure_task(_TASK, queue=_QUEUE, queueing_lock=lock, schedule_at=at)
        return task.make_new_job(batch_ids=[*batch_ids])
