"""How long changes and tombstones are kept: at least 24 hours, and until no replica needs them any more."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from shared.limits import change_log_age_min_s, clock_drift_refuse_ms, tombstone_age_min_s
from shared.versions.versions import timestamp_at


class Aged(Protocol):
    @property
    def sequence(self) -> int: ...
    @property
    def origin_sequence(self) -> int | None: ...
    @property
    def commit_us(self) -> int: ...


def applied_everywhere(followers: Mapping[int, int], replicas: Iterable[int]) -> int | None:
    """The origin sequence that all of these regions have applied; None when no region follows."""
    return min((followers.get(region, 0) for region in replicas), default=None)


def trim_through(oldest: Iterable[Aged], *, applied: int | None, now_us: int) -> int:
    """The last sequence of the prefix of the log that nothing needs any more; 0 when all of it is needed."""
    through = 0
    for change in oldest:
        is_young = change.commit_us > now_us - change_log_age_min_s * 1_000_000
        is_awaited = change.origin_sequence is not None and applied is not None and change.origin_sequence > applied
        if is_young or is_awaited:
            break
        through = change.sequence
    return through


def collectable_below(now_us: int, *, horizon_us: int | None) -> int:
    """Tombstones that were there before this timestamp may go.

    `horizon_us` is the lowest of all replicas; None when there is one only.

    A change that could bring an item back has a lower version than its tombstone, so its origin's clock showed at most
    the tombstone's time at its commit. Clocks of regions may differ, and a clock may be set back, by as much as a
    timestamp may be ahead before it is refused; everything committed by then lies before such a horizon.
    """
    aged_us = now_us - tombstone_age_min_s * 1_000_000
    passed_us = aged_us if horizon_us is None else horizon_us - clock_drift_refuse_ms * 1000
    return timestamp_at(max(0, min(aged_us, passed_us)))
