"""Processes that can die at any moment: what they had in memory is gone, what they had asked of others goes on."""

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any, TypeVar, cast

from shared.errors import MeridianError

Answer = TypeVar("Answer")

thread_hop_s_max = 0.002


class Process:
    """Owns tasks and callbacks. `failed` is told of errors that no code of this system should let through."""

    def __init__(self, name: str, *, failed: Callable[[str, BaseException], None]) -> None:
        self.name = name
        self.is_alive = True
        self._failed = failed
        self._tasks: dict[asyncio.Task[Any], None] = {}

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Work that is to end well, or with the process."""
        task = self.answer(work)
        task.add_done_callback(self._check)

    def spawn(self, work: Coroutine[Any, Any, Answer]) -> asyncio.Task[Answer]:
        """The same, as a task to wait for or to cancel."""
        task = self.answer(work)
        task.add_done_callback(self._check)
        return task

    def answer(self, work: Coroutine[Any, Any, Answer]) -> asyncio.Task[Answer]:
        """A task that may refuse, with an error of ours, what it was asked."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[task] = None
        task.add_done_callback(self._done)
        return task

    def kill(self) -> None:
        self.is_alive = False
        for task in list(self._tasks):
            task.cancel()

    def guarded(self, callback: Callable[..., object]) -> Callable[..., None]:
        """The callback, as long as the process lives."""

        def call(*arguments: Any) -> None:
            if self.is_alive:
                callback(*arguments)

        return call

    def loop(self, chance: Random) -> AbstractEventLoop:
        """The loop as this process's writers use it: callbacks from threads take a moment, and die with the process."""
        return cast("AbstractEventLoop", _ProcessLoop(self, chance))

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(task, None)
        if not task.cancelled() and not isinstance(task.exception(), MeridianError):
            self._check(task)

    def _check(self, task: asyncio.Task[Any]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and self.is_alive:
            self._failed(self.name, error)


class _ProcessLoop:
    def __init__(self, process: Process, chance: Random) -> None:
        self._process = process
        self._chance = chance
        self._loop = asyncio.get_running_loop()

    def create_future(self) -> asyncio.Future[Any]:
        return self._loop.create_future()

    def time(self) -> float:
        return self._loop.time()

    def call_soon(self, callback: Callable[..., object], *arguments: Any) -> asyncio.Handle:
        return self._loop.call_soon(self._process.guarded(callback), *arguments)

    def call_later(self, delay_s: float, callback: Callable[..., object], *arguments: Any) -> asyncio.TimerHandle:
        return self._loop.call_later(delay_s, self._process.guarded(callback), *arguments)

    def call_soon_threadsafe(self, callback: Callable[..., object], *arguments: Any) -> asyncio.TimerHandle:
        return self.call_later(self._chance.uniform(0.0, thread_hop_s_max), callback, *arguments)
