"""Change lag: percentiles of the last minute out of a bounded number of samples."""

from services.replicator.link.lag import ChangeLag, bucket_bounds_s, window_s, window_samples_max


def test_percentiles_are_those_of_the_window() -> None:
    """What was slow an hour ago says nothing about now."""
    lag = ChangeLag()
    lag.add(60.0, now=0.0)
    for n in range(100):
        lag.add(n / 1000, now=window_s + 1)
    assert lag.percentiles(now=window_s + 1) == (0.05, 0.099)


def test_an_idle_link_has_no_change_lag() -> None:
    """Zero would be a claim; nothing was measured."""
    lag = ChangeLag()
    lag.add(0.01, now=0.0)
    assert lag.percentiles(now=window_s + 1) is None


def test_the_peak_is_kept_for_half_a_window_at_least() -> None:
    """Whoever scrapes now and then must not miss it, however many changes came after."""
    lag = ChangeLag()
    lag.add(9.0, now=10.0)
    for _ in range(2 * window_samples_max):
        lag.add(0.001, now=11.0)
    assert lag.peak_s(now=10.0 + window_s / 2) == 9.0
    assert lag.peak_s(now=10.0 + window_s) == 0.0


def test_samples_are_bounded() -> None:
    """A catch-up applies millions of changes within the window."""
    lag = ChangeLag()
    for n in range(3 * window_samples_max):
        lag.add(float(n), now=0.0)
    assert lag.percentiles(now=0.0) == (
        2.5 * window_samples_max,
        2 * window_samples_max + window_samples_max * 99 // 100,
    )


def test_buckets_hold_their_upper_bound() -> None:
    """As Prometheus counts: less than or equal."""
    lag = ChangeLag()
    lag.add(bucket_bounds_s[0], now=0.0)
    lag.add(bucket_bounds_s[-1] + 1, now=0.0)
    assert (lag.buckets[0], lag.buckets[-1]) == (1, 1)
