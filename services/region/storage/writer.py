"""Group commit: one writer at a time per partition, many writes sharing one fsync.

Jobs queue up on the event loop; a group of them goes to the partition's thread, runs inside one transaction of the
partition's file and comes back with one call into the loop, where the changes are first handed on (committed) and
then the futures are woken (acknowledged). A group begins at the end of a turn of the loop: what arrives together goes
together, and the loop and the threads do not take the interpreter from each other in the middle of it. A writer that
had company waits longer, until as many have come as were there when its last group ended, and a few milliseconds at
most. So clients that write again once they are answered share groups, which doubles throughput and lowers latency
under load.

A writer can be held: between two groups nobody but the holder writes, until it lets go. That takes no thread, so any
number of writers can be held at once. Jobs wait meanwhile; of holders and jobs that wait neither keeps out the other.
"""

from asyncio import AbstractEventLoop, Future, TimerHandle, shield
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import apsw

from services.region.storage import write_ahead_log
from services.region.storage.partition_file import LoggedChange, PartitionFile
from services.region.storage.partition_state import PartitionState
from services.region.storage.writer_threads import WriterThreads
from shared.clock import Clock
from shared.errors import ServiceError, ServiceUnavailableError
from shared.limits import write_gather_s, write_group_max

_recent_s = 0.005

Answer = TypeVar("Answer")
Answer_co = TypeVar("Answer_co", covariant=True)


class Job(Protocol[Answer_co]):
    """Work inside a partition's transaction. Refuses by raising a `ServiceError` before it has written anything."""

    def run(self, file: PartitionFile, now_us: int) -> Answer_co: ...


class Group:
    """One transaction's worth of jobs and, once it is over, what became of them."""

    __slots__ = ("changes", "duration_s", "futures", "jobs", "outcomes", "state")

    def __init__(self, jobs: list[Job[Any]], futures: list[Future[Any]]) -> None:
        self.jobs = jobs
        self.futures = futures
        self.outcomes: list[Any] = []
        self.changes: Sequence[LoggedChange] = ()
        self.state: PartitionState | None = None  # None: nothing was committed
        self.duration_s = 0.0


class Hold:
    """The right to be the only one who writes a partition, for as long as it is not released."""

    __slots__ = ("_writer",)

    def __init__(self, writer: "Writer") -> None:
        self._writer = writer

    def submit(self, job: Job[Answer]) -> "Future[Answer]":
        """Runs a job in a transaction of its own, ahead of all that wait."""
        return self._writer.submit_held(job)

    def refuse_waiting(self, error: ServiceError) -> None:
        """Fails the jobs that wait for the release: a holder says so that can't let go soon."""
        self._writer.refuse_waiting(error)

    def release(self) -> None:
        """Once; it takes effect when the holder's own jobs are over."""
        self._writer.release()

    def abandon(self, error: ServiceError) -> None:
        """Instead of a release, by a holder that ends and must not be followed: nothing is written here any more."""
        self._writer.abandon(error)


class Writer:
    """One partition's queue of jobs; all methods but `_run` belong to the event loop's thread.

    `open_file` is called on the writer's thread at the first group, `committed` on the loop after each group.
    """

    def __init__(
        self,
        *,
        loop: AbstractEventLoop,
        threads: WriterThreads,
        number: int,
        clock: Clock,
        open_file: Callable[[], PartitionFile],
        committed: Callable[[Group], None],
    ) -> None:
        self._loop = loop
        self._threads = threads
        self._number = number
        self._clock = clock
        self._open_file = open_file
        self._committed = committed
        self._file: PartitionFile | None = None
        self._jobs: list[Job[Any]] = []
        self._futures: list[Future[Any]] = []
        self._holders: deque[Future[Hold]] = deque()
        self._is_held = False
        self._is_let_go = False  # released, but the holder's own jobs are not over
        self._held_jobs = 0
        self._refusal: ServiceError | None = None  # of everything, once a holder has abandoned the writer
        self._busy = False  # a group is under way or about to be, or the writer is held
        self._gathering: TimerHandle | None = None
        self._expected = 1  # jobs of the last group, and those that came meanwhile
        self._had_company = False
        self._finished_s = 0.0
        self._idle: Future[None] | None = None
        self._tidying: TimerHandle | None = None

    @property
    def is_idle(self) -> bool:
        return (not self._busy and not self._jobs) or (self._refusal is not None and not self._is_held)

    def submit(self, job: Job[Answer]) -> "Future[Answer]":
        """Queues a job; its future resolves once its transaction is durable, or with its error."""
        future: Future[Answer] = self._loop.create_future()
        self._jobs.append(job)
        self._futures.append(future)
        if self._gathering is not None:
            if len(self._jobs) >= self._expected:
                self._gathering.cancel()
                self._gathering = None
                self._loop.call_soon(self._hand_over)
        elif not self._busy:
            self._busy = True
            self._loop.call_soon(self._gather)
        elif self._refusal is not None:
            self.refuse_waiting(self._refusal)
        return future

    def hold(self) -> "Future[Hold]":
        """Asks to be the only one who writes; whoever no longer wants a hold that was given must release it."""
        future: Future[Hold] = self._loop.create_future()
        if not self._busy:
            self._busy = self._is_held = True
            future.set_result(Hold(self))
        elif self._refusal is not None:
            future.set_exception(self._refusal)
        else:
            self._holders.append(future)
        return future

    def submit_held(self, job: Job[Answer]) -> "Future[Answer]":
        future: Future[Answer] = self._loop.create_future()
        self._held_jobs += 1
        self._start(Group([job], [future]))
        return future

    def refuse_waiting(self, error: ServiceError) -> None:
        waiting, self._jobs, self._futures = self._futures, [], []
        for future in waiting:
            if not future.cancelled():
                future.set_exception(error)

    def abandon(self, error: ServiceError) -> None:
        self._refusal = error
        self.refuse_waiting(error)
        while self._holders:
            holder = self._holders.popleft()
            if not holder.cancelled():
                holder.set_exception(error)
        self.release()

    def release(self) -> None:
        if self._held_jobs:
            self._is_let_go = True
            return
        self._is_held = self._is_let_go = False
        if self._refusal is not None:
            self._rest()
        elif self._jobs:
            self._hand_over()
        else:
            self._go_on()

    @property
    def is_closed(self) -> bool:
        return self._file is None

    async def drain(self) -> None:
        """Waits until nothing is queued or running."""
        if not self.is_idle:
            self._idle = self._idle or self._loop.create_future()
            await shield(self._idle)

    def close_file(self) -> None:
        """Closes the file on its thread, after what was handed over before; the next group opens it again."""
        file, self._file = self._file, None
        if self._tidying is not None:
            self._tidying.cancel()
            self._tidying = None
        if file is not None:
            self._threads.run(self._number, file.close)

    def _gather(self) -> None:
        has_company = self._had_company and self._loop.time() - self._finished_s < _recent_s
        if has_company and len(self._jobs) < self._expected:
            self._gathering = self._loop.call_later(write_gather_s, self._hand_over)
        else:
            self._hand_over()

    def _hand_over(self) -> None:
        self._gathering = None
        group = Group(self._jobs[:write_group_max], self._futures[:write_group_max])
        del self._jobs[:write_group_max], self._futures[:write_group_max]
        self._start(group)

    def _start(self, group: Group) -> None:
        self._threads.run(self._number, lambda: self._run(group))

    def _run(self, group: Group) -> None:
        """On the writer's thread: the whole of one transaction."""
        began_s = self._clock.monotonic_s()
        file = self._file
        try:
            if file is None:
                file = self._file = self._open_file()
            self._transact(file, group)
            group.changes, group.state = file.logged, file.state.copied()
        except Exception as error:  # noqa: BLE001 - whatever went wrong belongs to the futures of this group
            group.outcomes = [as_unavailable(error)] * len(group.jobs)
        group.duration_s = self._clock.monotonic_s() - began_s
        self._loop.call_soon_threadsafe(self._finish, group)
        if file is not None:
            file.checkpoint(pages_min=write_ahead_log.pages_max)

    def _transact(self, file: PartitionFile, group: Group) -> None:
        try:
            group.outcomes = _run_jobs(file, group.jobs, self._clock.wall_us())
        except Exception:
            file.rollback()
            if len(group.jobs) == 1:
                raise
            # One job broke the transaction of all: each gets its own, so that only the guilty one fails.
            group.outcomes, logged = [], []
            for job in group.jobs:
                try:
                    group.outcomes += _run_jobs(file, [job], self._clock.wall_us())
                    logged += file.logged
                except Exception as error:  # noqa: BLE001 - the outcome of this one job
                    file.rollback()
                    group.outcomes.append(as_unavailable(error))
            file.logged = logged

    def _finish(self, group: Group) -> None:
        """On the loop: committed, then acknowledged, then whoever waits."""
        self._had_company = len(group.jobs) > 1
        self._expected = len(group.jobs) + len(self._jobs)
        self._finished_s = self._loop.time()
        self._committed(group)
        for future, outcome in zip(group.futures, group.outcomes, strict=True):
            if not future.cancelled():
                if isinstance(outcome, Exception):
                    future.set_exception(outcome)
                else:
                    future.set_result(outcome)
        if not self._is_held:
            self._go_on()
            return
        self._held_jobs -= 1
        if self._is_let_go:
            self.release()

    def _go_on(self) -> None:
        """The next holder, the next group, or nobody."""
        while self._holders:
            holder = self._holders.popleft()
            if not holder.cancelled():
                self._is_held = True
                holder.set_result(Hold(self))
                return
        if self._jobs:
            self._loop.call_soon(self._gather)
        else:
            self._busy = False
            self._rest()

    def _rest(self) -> None:
        file = self._file
        if self._tidying is None and file is not None and file.log.pages >= write_ahead_log.pages_when_idle:
            self._tidying = self._loop.call_later(write_ahead_log.idle_s, self._tidy)
        if self._idle is not None:
            self._idle.set_result(None)
            self._idle = None

    def _tidy(self) -> None:
        """Uses a pause; without one, the log is moved once it is large."""
        self._tidying = None
        file = self._file
        if file is not None and not self._busy:
            self._threads.run(self._number, lambda: file.checkpoint(pages_min=write_ahead_log.pages_when_idle))


def _run_jobs(file: PartitionFile, jobs: Sequence[Job[Any]], now_us: int) -> list[Any]:
    outcomes: list[Any] = []
    file.begin()
    for job in jobs:
        try:
            outcomes.append(job.run(file, now_us))
        except ServiceError as refusal:
            outcomes.append(refusal)
    file.commit()
    return outcomes


def as_unavailable(error: Exception) -> Exception:
    """A full or failing disk is the service's trouble, not the request's; anything else stays what it is."""
    if isinstance(error, apsw.FullError | apsw.IOError | apsw.CantOpenError):
        return ServiceUnavailableError(f"The storage of this region can't take writes now: {error}")
    return error
