"""What this region's feed has done since the process began, for metrics."""

from collections.abc import Sequence

from services.region.storage.partition_file import LoggedChange
from shared.changes.records import commit_us_of
from shared.clock import Clock
from shared.histograms import Histogram

_publish_s = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.035, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class FeedTally:
    def __init__(self, clock: Clock) -> None:
        self.heartbeats = 0
        self.publish_s = Histogram(_publish_s)  # from a change's commit until followers can read it
        self._clock = clock

    def readable(self, changes: Sequence[LoggedChange]) -> None:
        """From now on followers can read these changes, which were committed together."""
        now_us = self._clock.wall_us()
        commit_us = commit_us_of(changes[0].record) or now_us
        self.publish_s.observe_many(max(0, now_us - commit_us) / 1e6, len(changes))
