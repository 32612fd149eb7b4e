"""This region's replicator workers and what they report of its links: who follows which share, and how far behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.clock import Clock

worker_silence_s_max = 3.0

LinkReport = Mapping[str, Any]  # as the replicator sends it; shown, never decided on


@dataclass(frozen=True, slots=True)
class Worker:
    identifier: str
    heard_s: float
    links: Sequence[LinkReport]


class Links:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._workers: dict[str, Worker] = {}

    def hear(self, identifier: str, links: Sequence[LinkReport]) -> tuple[int, int]:
        """Takes a worker's report; its rank among the live workers and their number."""
        self._workers[identifier] = Worker(identifier, self._clock.monotonic_s(), links)
        names = sorted(worker.identifier for worker in self._live())
        return names.index(identifier), len(names)

    def reports(self) -> Sequence[LinkReport]:
        """The latest report of every link and table, from the live workers."""
        return [report for worker in self._live() for report in worker.links]

    def _live(self) -> Sequence[Worker]:
        oldest_s = self._clock.monotonic_s() - worker_silence_s_max
        self._workers = {name: worker for name, worker in self._workers.items() if worker.heard_s >= oldest_s}
        return list(self._workers.values())
