"""Operations of the resource REST in the same metrics as those of the DynamoDB endpoint, under the same names."""

from collections.abc import Iterator
from contextlib import contextmanager

from services.region.api.metrics.requests import RequestMetrics
from shared.clock import Clock
from shared.errors import InternalServerError, ServiceError


class Meter:
    def __init__(self, metrics: RequestMetrics, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock

    @contextmanager
    def operation(self, name: str) -> Iterator[None]:
        """Counts what happens inside as one operation: as "ok", or under the code of the error that ends it."""
        metrics = self._metrics.of(name)
        began_s = self._clock.monotonic_s()
        try:
            yield
        except ServiceError as error:
            metrics.observe_error(error.code, self._clock.monotonic_s() - began_s)
            raise
        except BaseException:
            metrics.observe_error(InternalServerError.code, self._clock.monotonic_s() - began_s)
            raise
        metrics.latency.observe(self._clock.monotonic_s() - began_s)
