"""When a tombstone may go: a day, and an hour behind the lowest horizon."""

from hypothesis import given
from hypothesis import strategies as st

from services.region.rules.retention import collectable_below
from shared.limits import clock_drift_refuse_ms, tombstone_age_min_s
from shared.versions.versions import next_timestamp, timestamp_at

day_us = tombstone_age_min_s * 1_000_000
drift_us = clock_drift_refuse_ms * 1000
times = st.integers(0, 10 * day_us)


def test_a_lone_table_waits_for_the_age() -> None:
    assert collectable_below(3 * day_us, horizon_us=None) == timestamp_at(2 * day_us)


def test_a_horizon_holds_back_whatever_the_age() -> None:
    assert collectable_below(9 * day_us, horizon_us=2 * day_us) == timestamp_at(2 * day_us - drift_us)
    assert collectable_below(9 * day_us, horizon_us=0) == 0


def test_a_horizon_never_shortens_the_day() -> None:
    """It may be ahead: it is the time of other regions' clocks."""
    assert collectable_below(3 * day_us, horizon_us=9 * day_us) == timestamp_at(2 * day_us)


@given(
    committed_us=times, stored=st.integers(0, timestamp_at(10 * day_us)), drift=st.integers(0, drift_us), now_us=times
)
def test_no_change_that_a_collected_tombstone_has_to_beat_lies_behind_the_horizon(
    committed_us: int, stored: int, drift: int, now_us: int
) -> None:
    """A change is committed after the heartbeat that made the horizon, by a clock that was set back by up to the
    margin: its version is no lower than that of anything collected."""
    horizon_us = committed_us + drift
    version = next_timestamp(committed_us, stored)
    assert version >= collectable_below(now_us, horizon_us=horizon_us)
