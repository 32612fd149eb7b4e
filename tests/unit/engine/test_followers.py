"""What targets still need is known at the source, from their acknowledgements: how much, how old, and for how long."""

import math
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.region.api.metrics.replication import ReplicationMetrics
from services.region.engine.feed import Acknowledge
from services.region.engine.feed_tally import FeedTally
from services.region.engine.followers import Followers
from services.region.engine.links import Links
from services.region.engine.registry import Registry
from services.region.engine.replication import ReplicationCounts
from services.region.storage.partitions import Partition
from shared.topology import Topology
from tests.unit.storage.folders import Write, lane, open_partitions

topology = Topology.parse("here=1=http://here,there=2=http://there")
there = 2


class SetClock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def wall_us(self) -> int:
        return int(self.now_s * 1e6)

    def monotonic_s(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def definitions(tmp_path: Path, clock: SetClock) -> AsyncIterator[Partition]:
    """The catalog lane, which every other region follows, with three changes ten seconds apart."""
    async with open_partitions(tmp_path, clock=clock) as partitions:
        partition = partitions.of(lane)
        for name in ("a", "b", "c"):
            clock.now_s += 10
            await partition.submit(Write(name))
        yield partition


@pytest.fixture
def followers(definitions: Partition, clock: SetClock) -> Followers:
    return Followers(Registry(), definitions=definitions, topology=topology, region="here", clock=clock)


async def test_what_is_not_acknowledged_is_counted_and_as_old_as_its_oldest_change(
    followers: Followers, definitions: Partition, clock: SetClock
) -> None:
    """Also when the target has never been heard of."""
    await followers.look()
    assert list(followers.standings()) == [("there", "", 3, 20.0)]
    await definitions.submit(Acknowledge(there, 2))
    await followers.look()
    clock.now_s += 5
    assert list(followers.standings()) == [("there", "", 1, 5.0)]


async def test_a_target_that_has_everything_needs_nothing(followers: Followers, definitions: Partition) -> None:
    await followers.look()
    await definitions.submit(Acknowledge(there, 3))
    assert list(followers.standings()) == [("there", "", 0, 0.0)]


async def test_a_change_is_not_looked_up_again_while_its_target_stands_still(
    followers: Followers, definitions: Partition
) -> None:
    """A target that is away for days must not keep files open."""
    await followers.look()
    definitions.close()
    await followers.look()
    assert not definitions.is_open


@pytest.mark.parametrize(("retention_s", "headroom_s"), [(3600.0, 3580.0), (10.0, 0.0), (math.inf, math.inf)])
async def test_headroom_is_the_retention_less_the_age_of_the_oldest_change(
    followers: Followers, definitions: Partition, clock: SetClock, retention_s: float, headroom_s: float
) -> None:
    await followers.look()
    metrics = ReplicationMetrics(
        Registry(),
        definitions=definitions,
        feed=FeedTally(clock),
        followers=followers,
        links=Links(clock),
        counts=ReplicationCounts(),
        sources={there: "there"},
        retention_s=retention_s,
        publishes=True,
    )
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for metric in metrics.collect()
        for sample in metric.samples
    }
    assert samples["meridian_feed_headroom_seconds", "(catalog)", "there"] == headroom_s
    assert samples["meridian_feed_unapplied_changes", "(catalog)", "there"] == 3
    assert samples["meridian_feed_unpublished_changes", "(catalog)"] == 3
    assert samples["meridian_remote_changes_total", "dead_letters", "there"] == 0
    assert samples["meridian_replicator_workers",] == 0


async def test_readable_changes_are_timed_from_their_commit(definitions: Partition, clock: SetClock) -> None:
    tally = FeedTally(clock)
    reader = definitions.reader
    assert reader is not None
    tally.readable(reader.changes_after(2, bytes_max=1000, rows_max=1))
    clock.now_s += 7
    tally.readable(reader.changes_after(2, bytes_max=1000, rows_max=1))
    assert sum(tally.publish_s.counts) == 2
    assert tally.publish_s.total == 7.0
