"""The small jobs that every region runs; `beat` is the heartbeat of the feed in use."""

from collections.abc import Awaitable, Callable

from services.region.engine.followers import Followers
from services.region.engine.replicas import Replicas
from services.region.engine.retention import Retention
from services.region.engine.time_to_live import Expiry
from services.region.engine.transaction_rounds import Rounds
from services.region.engine.transactions import Transactions
from services.region.jobs.periodic import Job
from services.region.storage.partitions import Partitions
from shared.limits import expiry_interval_s, heartbeat_interval_s

_idle_tick_s = 20.0
_look_interval_s = 5.0
_removal_interval_s = 1.0
_trim_interval_s = 30.0
_collect_interval_s = 30.0
_tidy_interval_s = 1.0


def housekeeping(
    *,
    beat: Callable[[], Awaitable[None]],
    replicas: Replicas,
    retention: Retention,
    expiry: Expiry,
    followers: Followers,
    partitions: Partitions,
    rounds: Rounds,
    transactions: Transactions,
) -> list[Job]:
    async def close_unused() -> None:
        partitions.close_unused()

    return [
        Job("heartbeat", heartbeat_interval_s, beat),
        Job("close-unused", _idle_tick_s, close_unused),
        Job("finish-removals", _removal_interval_s, replicas.finish_removals),
        Job("trim", _trim_interval_s, retention.trim),
        Job("expire", expiry_interval_s, expiry.sweep),
        Job("collect-tombstones", _collect_interval_s, retention.collect),
        Job("look-at-followers", _look_interval_s, followers.look),
        Job("transactions", 0.0, rounds.run),
        Job("tidy-transactions", _tidy_interval_s, transactions.tidy),
    ]
