"""Periodic jobs: one loop, many small jobs, each on its own interval and none able to stop another."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from prometheus_client import CollectorRegistry, Counter

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """`run` is called again and again, `interval_s` after it has returned or failed."""

    name: str
    interval_s: float
    run: Callable[[], Awaitable[None]]


class PeriodicJobs:
    """Runs every job in its own task until it is cancelled; a failure is counted, logged and tried again."""

    def __init__(self, jobs: list[Job], *, metrics: CollectorRegistry) -> None:
        self._jobs = jobs
        self._failures = Counter(
            "meridian_job_failures", "Runs of background jobs that failed.", ("job",), registry=metrics
        )
        for job in jobs:
            self._failures.labels(job.name)  # so that the first failure is a rise

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for job in self._jobs:
                tasks.create_task(self._repeat(job), name=f"job-{job.name}")

    async def _repeat(self, job: Job) -> None:
        while True:
            await asyncio.sleep(job.interval_s)
            try:
                await job.run()
            except Exception as error:
                self._failures.labels(job.name).inc()
                log.error("job failed", job=job.name, exc_info=error)
