"""Back-off: grows, is bounded, and is spread by chance."""

from hypothesis import given
from hypothesis import strategies as st

from services.replicator.link.backoff import BackOff


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_delays_stay_within_bounds(failures: int, chance: float) -> None:
    """A peer may be away for weeks; the exponent must not overflow, and its return must be seen at once."""
    assert 0.05 <= BackOff(first_s=0.1, max_s=2.0).delay_s(failures, chance=chance) <= 2.0


def test_delays_double_until_the_bound() -> None:
    backoff = BackOff(first_s=0.1, max_s=1.0)
    assert [backoff.delay_s(failures, chance=1.0) for failures in (1, 2, 3, 4, 5)] == [0.1, 0.2, 0.4, 0.8, 1.0]
