"""Requests by operation and outcome, with latency histograms, cheap enough for every request.

prometheus_client's own histograms cost some microseconds an observation; here an observation is one bisection and two
additions on the event loop's thread, and the metric families are built when somebody scrapes.
"""

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from shared.histograms import Histogram

bucket_bounds_s = (
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
)


class RequestMetrics(Collector):
    def __init__(self) -> None:
        self._outcomes: dict[tuple[str, str], int] = {}
        self._latencies: dict[str, Histogram] = {}

    def observe(self, operation: str, outcome: str, seconds: float) -> None:
        """`outcome` is "ok" or the error's code."""
        key = (operation, outcome)
        self._outcomes[key] = self._outcomes.get(key, 0) + 1
        latency = self._latencies.get(operation)
        if latency is None:
            latency = self._latencies[operation] = Histogram(bucket_bounds_s)
        latency.observe(seconds)

    def collect(self) -> Iterable[Metric]:
        requests = CounterMetricFamily(
            "meridian_requests", "Requests answered, by operation and outcome.", labels=("operation", "outcome")
        )
        for (operation, outcome), count in self._outcomes.items():
            requests.add_metric((operation, outcome), count)
        latencies = HistogramMetricFamily(
            "meridian_request_seconds", "Time from the whole request to its reply.", labels=("operation",)
        )
        for operation, histogram in self._latencies.items():
            latencies.add_metric((operation,), histogram.buckets(), histogram.total)
        return (requests, latencies)
