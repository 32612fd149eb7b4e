"""This region's replicator workers and what they report of its links: who follows which share, and how far behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.clock import Clock

worker_silence_s_max = 3.0
without_worker = "NO_REPLICATOR"

_healthy = "FOLLOWING"
_counts = ("backlog", "applied", "superseded", "duplicate", "conflicts", "dead_letters", "resyncs")
_lags = ("frontier_lag_s", "change_lag_p50_s", "change_lag_p99_s")

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

    @property
    def worker_count(self) -> int:
        """Workers that were heard of lately."""
        return len(self._live())

    def reports(self) -> Sequence[LinkReport]:
        """The latest report of every link and table. While no worker is alive, the last ones, whose frontiers age."""
        live = self._live()
        if live:
            return _merged([report for worker in live for report in worker.links])
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


def _merged(reports: Sequence[LinkReport]) -> Sequence[LinkReport]:
    """One report of each link and table, where workers share it: counts add up, the worst lag and state show."""
    merged: dict[tuple[Any, Any], dict[str, Any]] = {}
    for report in reports:
        name = (report.get("source"), report.get("table"))
        if name in merged:
            _merge(merged[name], report)
        else:
            merged[name] = dict(report)
    return list(merged.values())


def _merge(whole: dict[str, Any], share: LinkReport) -> None:
    for name in _counts:
        whole[name] = whole.get(name, 0) + share.get(name, 0)
    for name in _lags:
        whole[name] = max((each for each in (whole.get(name), share.get(name)) if each is not None), default=None)
    if share.get("state") != _healthy:
        whole["state"] = share.get("state")
    whole["error"] = whole.get("error") or share.get("error")
