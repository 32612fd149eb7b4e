"""Lag of a link: of single changes over a sliding window, and of the frontier, which rises as long as it is stuck."""

from bisect import bisect_left
from collections import deque

from services.replicator.link.lane import LaneState

heartbeat_fresh_us = 2_500_000  # a heartbeat is due every second
window_s = 60.0
window_samples_max = 1024
bucket_bounds_s = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.035, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


def frontier_us(state: LaneState, heartbeat_us: int) -> int:
    """The time of the newest heartbeat whose head for this lane is all applied."""
    return state.frontier_us if state.marks or state.head is None else heartbeat_us


def frontier_lag_s(state: LaneState, heartbeat_us: int, *, now_us: int) -> float:
    """0 when everything known is applied and heartbeats are fresh, otherwise the age of the frontier."""
    if state.caught_up and now_us - heartbeat_us <= heartbeat_fresh_us:
        return 0.0
    return max(0.0, (now_us - frontier_us(state, heartbeat_us)) / 1e6)


class ChangeLag:
    """Commit at the source to applied at the target: a histogram for ever, percentiles of the last minute."""

    def __init__(self) -> None:
        self.buckets = [0] * (len(bucket_bounds_s) + 1)
        self.sum_s = 0.0
        self._samples: deque[tuple[float, float]] = deque(maxlen=window_samples_max)
        self._peak_s = self._earlier_peak_s = 0.0  # largest of the current half of the window, and of the one before
        self._peak_half = 0

    def add(self, lag_s: float, *, now: float) -> None:
        self.buckets[bisect_left(bucket_bounds_s, lag_s)] += 1
        self.sum_s += lag_s
        self._samples.append((now, lag_s))
        self._enter_half(now)
        self._peak_s = max(self._peak_s, lag_s)

    def peak_s(self, *, now: float) -> float:
        """The largest lag of the last half to whole window, of all changes; 0 when nothing arrived."""
        self._enter_half(now)
        return max(self._peak_s, self._earlier_peak_s)

    def percentiles(self, *, now: float) -> tuple[float, float] | None:
        """p50 and p99 in seconds, or None when nothing arrived within the window."""
        while self._samples and self._samples[0][0] < now - window_s:
            self._samples.popleft()
        if not self._samples:
            return None
        ordered = sorted(lag for _, lag in self._samples)
        return ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]

    def _enter_half(self, now: float) -> None:
        half = int(now // (window_s / 2))
        if half != self._peak_half:
            self._earlier_peak_s = self._peak_s if half == self._peak_half + 1 else 0.0
            self._peak_s, self._peak_half = 0.0, half
