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


class OperationMetrics:
    """One operation: every answer's latency, and those that were not "ok" by the error's code."""

    __slots__ = ("errors", "latency", "operation")

    def __init__(self, operation: str) -> None:
        self.operation = operation
        self.latency = Histogram(bucket_bounds_s)
        self.errors: dict[str, int] = {}

    def observe_error(self, code: str, seconds: float) -> None:
        self.latency.observe(seconds)
        self.errors[code] = self.errors.get(code, 0) + 1


class RequestMetrics(Collector):
    def __init__(self) -> None:
        self._operations: dict[str, OperationMetrics] = {}

    def of(self, operation: str) -> OperationMetrics:
        metrics = self._operations.get(operation)
        if metrics is None:
            metrics = self._operations[operation] = OperationMetrics(operation)
        return metrics

    def collect(self) -> Iterable[Metric]:
        requests = CounterMetricFamily(
            "meridian_requests", "Requests answered, by operation and outcome.", labels=("operation", "outcome")
        )
        latencies = HistogramMetricFamily(
            "meridian_request_seconds", "Time from the whole request to its reply.", labels=("operation",)
        )
        for operation, metrics in self._operations.items():
            answered = sum(metrics.latency.counts)
            if not answered:
                continue
            requests.add_metric((operation, "ok"), answered - sum(metrics.errors.values()))
            for code, count in metrics.errors.items():
                requests.add_metric((operation, code), count)
            latencies.add_metric((operation,), metrics.latency.buckets(), metrics.latency.total)
        return (requests, latencies)
