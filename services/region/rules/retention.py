"""How long changes stay in the log: at least 24 hours, and until every replica that follows has applied them."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from shared.limits import change_log_age_min_s


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
