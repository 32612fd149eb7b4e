"""Throughput: how often capacity may fall, at which moments again, and in which words that is told."""

from datetime import UTC, datetime

import pytest

from services.region.rules.throughput import CapacityChange, changed_capacity, decreases_today, partitions_of
from shared.errors import LimitExceededError, ValidationError


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000_000)


def after_decreases(count: int, last: str) -> CapacityChange:
    return CapacityChange(10, 10, None, us(last), count)


def lowered(present: CapacityChange, now: str) -> CapacityChange:
    return changed_capacity(present, read=9, write=10, of="table", now_us=us(now))


def test_a_fifth_decrease_comes_an_hour_after_the_fourth() -> None:
    present = after_decreases(4, "2026-10-09T00:21:34")
    with pytest.raises(LimitExceededError) as refusal:
        lowered(present, "2026-10-09T01:21:33")
    assert refusal.value.message == (
        "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. After the "
        "first 4 decreases, each subsequent decrease in the same UTC day can be performed at most once every 3600 "
        "seconds. Number of decreases today: 4. Last decrease at Friday, October 9, 2026 at 12:21:34 AM Coordinated "
        "Universal Time. Next decrease can be made at Friday, October 9, 2026 at 1:21:34 AM Coordinated Universal Time"
    )
    assert lowered(present, "2026-10-09T01:21:34").decreases == 5


def test_midnight_gives_four_decreases_anew() -> None:
    present = after_decreases(4, "2026-10-08T23:20:48")
    with pytest.raises(
        LimitExceededError, match=r"Next decrease can be made at Friday, October 9, 2026 at 12:00:00 AM"
    ):
        lowered(present, "2026-10-08T23:59:59")
    assert lowered(present, "2026-10-09T00:00:00").decreases == 1
    assert decreases_today(present.decreased_us, 4, us("2026-10-09T00:00:00")) == 0


def test_what_rises_and_falls_at_once_counts_as_both() -> None:
    now_us = us("2026-10-09T12:00:00")
    changed = changed_capacity(CapacityChange(1, 9, None, None, 0), read=2, write=8, of="table", now_us=now_us)
    assert changed == CapacityChange(2, 8, now_us, now_us, 1)


def test_rising_is_never_limited() -> None:
    present = after_decreases(9, "2026-10-09T12:00:00")
    changed = changed_capacity(present, read=11, write=10, of="table", now_us=us("2026-10-09T12:00:01"))
    assert (changed.read_units, changed.decreases) == (11, 9)


def test_what_does_not_change_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="for the index by-date will not change"):
        changed_capacity(CapacityChange(1, 1, None, None, 0), read=1, write=1, of="index by-date", now_us=0)


@pytest.mark.parametrize(
    ("read", "write", "partitions"),
    [(1, 1, 1), (3_000, 1_000, 1), (3_001, 1, 2), (1, 1_001, 2), (12_000, 4_000, 4), (40_000, 40_000, 4)],
)
def test_a_table_has_the_partitions_that_its_throughput_needs(read: int, write: int, partitions: int) -> None:
    assert partitions_of(read, write) == partitions
