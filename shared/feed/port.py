"""The feed's contract: how a target follows one source region, and how a source publishes, whatever carries it.

Following is at least once and in sequence order per lane, with possible repeats. A feed that can't promise that
nothing was left out since the last poll says `interrupted`; who follows then compares heads with its positions and
fills what is missing from the source's own change log.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from shared.changes.batches import Delivery, no_offset
from shared.changes.heartbeats import Heartbeat
from shared.changes.records import Lane
from shared.errors import MeridianError


class FeedUnavailableError(MeridianError):
    """The source or its broker can't be reached or doesn't answer in time; polling again later may succeed."""


class Position(NamedTuple):
    """Up to where a lane is applied: origin sequence, and the Kafka offset of that record where there is one.

    `commit_us` is when that change was committed at its origin, 0 where nobody knows: a sequence tells which change it
    was only as long as the origin has not lost it.
    """

    sequence: int
    offset: int = no_offset
    commit_us: int = 0


@dataclass(frozen=True, slots=True)
class FeedBatch:
    deliveries: Sequence[Delivery] = ()
    heartbeats: Sequence[Heartbeat] = field(default=())
    interrupted: bool = False  # records may have been left out before this batch; the heartbeats hold all heads
    interrupted_lanes: Collection[Lane] = ()  # the same of single lanes, whose heads only the source can tell
    head_times: Mapping[Lane, int] = field(default_factory=dict)  # when interrupted: commit times of heads, as known


class Feed(Protocol):
    """One source region's feed, as one target follows it."""

    async def follow(self, lanes: Mapping[Lane, Position]) -> None:
        """Replaces the set of lanes that are followed; positions matter for lanes that are new in it.

        Takes effect with the next poll, and reaches nobody before.
        """
        ...

    async def poll(self, *, wait_s: float) -> FeedBatch:
        """What has arrived, waiting up to `wait_s` seconds for something. Raises `FeedUnavailableError`.

        May be cancelled: nothing is lost by it.
        """
        ...

    async def close(self) -> None: ...
