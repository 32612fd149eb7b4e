"""This region's replicator workers and what they report of its links: who follows which share, and how far behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.clock import Clock

worker_silence_s_max = 3.0
without_worker = "NO_REPLICATOR"

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
        """The latest report of every link and table. While no worker is alive, the last ones, whose frontiers age."""
        live = self._live()
        if live:
            return [report for worker in live for report in worker.links]
        return [self._aged(report, worker.heard_s) for worker in self._workers.values() for report in worker.links]

    def _live(self) -> Sequence[Worker]:
        oldest_s = self._clock.monotonic_s() - worker_silence_s_max
        live = {name: worker for name, worker in self._workers.items() if worker.heard_s >= oldest_s}
        if live:
            self._workers = live
        return list(live.values())

    def _aged(self, report: LinkReport, heard_s: float) -> LinkReport:
        lag_s = report.get("frontier_lag_s")
        if isinstance(lag_s, int | float):
            lag_s += self._clock.monotonic_s() - heard_s
        return {**report, "state": without_worker, "frontier_lag_s": lag_s}
