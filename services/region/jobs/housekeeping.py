"""The small jobs that every region runs."""

from services.region.engine.feed import Feed
from services.region.engine.replicas import Replicas
from services.region.jobs.periodic import Job
from services.region.storage.partitions import Partitions
from shared.limits import heartbeat_interval_s

_idle_tick_s = 20.0
_removal_interval_s = 1.0


def housekeeping(*, feed: Feed, replicas: Replicas, partitions: Partitions) -> list[Job]:
    async def beat() -> None:
        feed.beat()

    async def close_unused() -> None:
        partitions.close_unused()

    return [
        Job("heartbeat", heartbeat_interval_s, beat),
        Job("close-unused", _idle_tick_s, close_unused),
        Job("finish-removals", _removal_interval_s, replicas.finish_removals),
    ]
