"""Virtual time: an event loop that never waits, and runs the same way each time it is given the same seed.

Waiting for a timer moves the clock to it at once. Tasks are numbered in the order in which they are made, so that sets
of tasks have an order; "threads" run what they are given in place.
"""

import asyncio
import itertools
import selectors
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple

Answer = TypeVar("Answer")
Arguments = TypeVarTuple("Arguments")


class StandstillError(Exception):
    """Everything waits for something that nothing will bring about."""


class SimulatedLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual = _VirtualSelector()
        super().__init__(self._virtual)
        self.set_task_factory(_numbered(itertools.count()))

    def time(self) -> float:
        return self._virtual.now_s

    def run_in_executor(
        self,
        executor: Executor | None,  # noqa: ARG002 - there are no threads
        func: Callable[[*Arguments], Answer],
        *args: *Arguments,
    ) -> asyncio.Future[Answer]:
        future: asyncio.Future[Answer] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - belongs to whoever awaits
            future.set_exception(error)
        return future


class _NumberedTask(asyncio.Task[Answer]):
    """A task whose hash is not its address."""

    def __init__(self, coroutine: Coroutine[Any, Any, Answer], *, number: int, **options: Any) -> None:
        self._number = number
        super().__init__(coroutine, **options)

    def __hash__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        return self is other


def _numbered(numbers: "itertools.count[int]") -> Any:
    def make(
        loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Answer], *, context: Context | None = None
    ) -> asyncio.Task[Answer]:
        return _NumberedTask(coroutine, number=next(numbers), loop=loop, context=context)

    return make


class _VirtualSelector(selectors.BaseSelector):
    """No file is ever ready."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        self._keys[fileobj] = selectors.SelectorKey(fileobj, fileobj, events, data)
        return self._keys[fileobj]

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise StandstillError("nothing is left to happen")
        self.now_s += max(0.0, timeout)
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys
