"""What a region tells of its links: from the workers that it hears, and not nothing when it hears none."""

from dataclasses import dataclass
from typing import Any

from services.region.engine.links import Links, without_worker, worker_silence_s_max


@dataclass
class FakeClock:
    now_s: float = 100.0

    def monotonic_s(self) -> float:
        return self.now_s

    def wall_us(self) -> int:
        return int(self.now_s * 1e6)


def report(source: str, *, lag_s: float | None = 0.0) -> dict[str, Any]:
    return {"source": source, "table": "orders", "state": "FOLLOWING", "frontier_lag_s": lag_s}


def test_workers_are_ranked_by_name_as_long_as_they_are_heard() -> None:
    clock = FakeClock()
    links = Links(clock)
    assert links.hear("b", []) == (0, 1)
    assert links.hear("a", []) == (0, 2)
    assert links.hear("b", []) == (1, 2)
    clock.now_s += worker_silence_s_max + 1
    assert links.hear("b", []) == (0, 1)


def test_what_a_silent_worker_said_is_dropped_when_another_is_heard() -> None:
    clock = FakeClock()
    links = Links(clock)
    links.hear("a", [report("east")])
    clock.now_s += worker_silence_s_max + 1
    links.hear("b", [report("south")])
    assert links.reports() == [report("south")]


def test_without_a_worker_the_last_reports_stay_and_their_lag_rises() -> None:
    """A region whose replicator is dead falls behind; showing no link at all would look like rest."""
    clock = FakeClock()
    links = Links(clock)
    links.hear("a", [report("east", lag_s=0.5), report("south", lag_s=None)])
    for waited_s in (10.0, 20.0):
        clock.now_s = 100.0 + waited_s
        east, south = links.reports()
        assert (east["state"], east["frontier_lag_s"]) == (without_worker, 0.5 + waited_s)
        assert (south["state"], south["frontier_lag_s"]) == (without_worker, None)
    links.hear("a", [report("east")])
    assert links.reports() == [report("east")]


def test_workers_that_share_a_link_are_told_as_one() -> None:
    links = Links(FakeClock())
    links.hear("a", [report("east", lag_s=0.0) | {"backlog": 1}])
    links.hear("b", [report("east", lag_s=2.0) | {"backlog": 2, "state": "STUCK"}])
    (shared,) = links.reports()
    assert (shared["backlog"], shared["frontier_lag_s"], shared["state"]) == (3, 2.0, "STUCK")
