"""What can happen to a lane of a link, and what its state machine can ask for.

Times: `now` is monotonic seconds, `*_us` is wall time in microseconds since 1970.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.changes.batches import Delivery


@dataclass(frozen=True, slots=True)
class Delivered:
    """The feed brought records, in sequence order, possibly some that came before."""

    records: Sequence[Delivery]
    now: float


@dataclass(frozen=True, slots=True)
class HeartbeatArrived:
    """A heartbeat that lists this lane; `previous_us` is the time of the link's heartbeat before."""

    time_us: int
    head: int
    previous_us: int
    now: float


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The feed may have left out records; `head` is the source's, if it said so, and `commit_us` its commit time."""

    head: int | None
    now: float
    commit_us: int = 0


@dataclass(frozen=True, slots=True)
class Applied:
    sequence: int
    offset: int
    now: float
    commit_us: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """The target found a gap: it has everything up to `sequence` and took nothing beyond."""

    sequence: int
    offset: int
    commit_us: int = 0


@dataclass(frozen=True, slots=True)
class Filled:
    """The answer to `Fill(after)` from the source's change log, which reaches up to `head`.

    `commit_us` is the commit time of the change that the source has for `after`; 0 where it does not say.
    """

    after: int
    records: Sequence[Delivery]
    head: int
    now: float
    commit_us: int = 0


@dataclass(frozen=True, slots=True)
class TooOld:
    """The source's change log no longer holds what comes next."""


@dataclass(frozen=True, slots=True)
class LaneUnknown:
    """The source does not (yet) count the target among the replicas of this lane."""

    now: float


@dataclass(frozen=True, slots=True)
class Tick:
    now: float


Event = Delivered | HeartbeatArrived | Interrupted | Applied | Refused | Filled | TooOld | LaneUnknown | Tick


@dataclass(frozen=True, slots=True)
class Apply:
    records: Sequence[Delivery]


@dataclass(frozen=True, slots=True)
class Fill:
    """Ask the source's change log for what follows `after`; a later `Fill` of the lane replaces this one."""

    after: int


@dataclass(frozen=True, slots=True)
class NeedsResync:
    reason: str


Effect = Apply | Fill | NeedsResync
