"""The threads on which files are written: what one thread is given runs there in order, so a file needs no lock."""

import threading
from collections.abc import Callable
from queue import SimpleQueue


class WriterThreads:
    """A small fixed set of threads; a partition is always served by the same one."""

    def __init__(self, count: int) -> None:
        self._queues: list[SimpleQueue[Callable[[], None] | None]] = [SimpleQueue() for _ in range(count)]
        self._threads = [
            threading.Thread(target=_serve, args=(queue,), name=f"writer-{number}", daemon=True)
            for number, queue in enumerate(self._queues)
        ]
        for thread in self._threads:
            thread.start()

    def run(self, number: int, task: Callable[[], None]) -> None:
        self._queues[number % len(self._queues)].put(task)

    def stop(self) -> None:
        """Ends the threads after everything that was queued before."""
        for queue in self._queues:
            queue.put(None)
        for thread in self._threads:
            thread.join()


def _serve(queue: "SimpleQueue[Callable[[], None] | None]") -> None:
    while (task := queue.get()) is not None:
        task()
