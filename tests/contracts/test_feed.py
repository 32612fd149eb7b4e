"""What every feed promises to who follows it, whatever carries the changes."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from shared.changes.batches import Delivery, no_offset
from shared.changes.heartbeats import Heartbeat
from shared.changes.records import Lane
from shared.feed.port import Feed, FeedUnavailableError, Position
from shared.model.tables import Generation, catalog_generation
from tests.contracts.ring_server import RingServer
from tests.contracts.sources import KafkaSource, RegionLogSource, Source, record_of, token

catalog = Lane(catalog_generation, 0)
first = Lane(Generation(b"\x01" * 16), 0)
second = Lane(Generation(b"\x01" * 16), 1)
other_table = Lane(Generation(b"\x02" * 16), 3)
start = Position(0)


@pytest.fixture(params=["region log", pytest.param("kafka", marks=pytest.mark.timeout(240))])
async def source(request: pytest.FixtureRequest) -> AsyncIterator[Source]:
    if request.param == "kafka":
        kafka = KafkaSource(request.getfixturevalue("kafka_bootstrap"))
        yield kafka
        await kafka.close()
    else:
        server = RingServer(token=token)
        await server.start()
        yield RegionLogSource(server)
        await server.stop()


@pytest.fixture
async def feed(source: Source) -> AsyncIterator[Feed]:
    feed = source.open_feed()
    yield feed
    await feed.close()


@dataclass
class Seen:
    """Everything that a follower was told, in order."""

    deliveries: list[Delivery] = field(default_factory=list)
    heartbeats: list[Heartbeat] = field(default_factory=list)
    interruptions: int = 0

    def sequences(self, lane: Lane) -> list[int]:
        return [delivery.sequence for delivery in self.deliveries if delivery.lane == lane]


async def poll_until(feed: Feed, seen: Seen, done: Callable[[Seen], object]) -> None:
    async with asyncio.timeout(30):
        while not done(seen):
            batch = await feed.poll(wait_s=1.0)
            seen.interruptions += batch.interrupted or bool(batch.interrupted_lanes)
            seen.deliveries += batch.deliveries
            seen.heartbeats += batch.heartbeats


async def follow(source: Source, feed: Feed, lanes: Mapping[Lane, Position]) -> Seen:
    """Follows lanes until the feed is known to be at work: a heartbeat of now has come through."""
    seen = Seen()
    await feed.follow(lanes)
    await feed.poll(wait_s=0)
    mark_us = time.time_ns() // 1000
    await source.beat({}, time_us=mark_us)
    await poll_until(feed, seen, lambda seen: any(beat.time_us == mark_us for beat in seen.heartbeats))
    return Seen()


async def test_changes_arrive_in_sequence_order_per_lane(source: Source, feed: Feed) -> None:
    """Followers apply contiguous sequences only; disorder would look like a gap and be fetched twice."""
    seen = await follow(source, feed, {catalog: start, first: start, second: start})
    for sequences in ([1], [2, 3, 4], [5]):
        for lane in (first, catalog, second):
            await source.publish(lane, sequences)
    await poll_until(feed, seen, lambda seen: all(5 in seen.sequences(lane) for lane in (first, second, catalog)))
    for lane in (first, second, catalog):
        assert sorted(set(seen.sequences(lane))) == [1, 2, 3, 4, 5]
        first_seen = list(dict.fromkeys(seen.sequences(lane)))
        assert first_seen == sorted(first_seen)


async def test_records_arrive_as_they_were_published(source: Source, feed: Feed) -> None:
    """The bytes are what every region resolves on; a feed that changed them would make regions differ."""
    seen = await follow(source, feed, {first: start})
    await source.publish(first, [1, 2])
    await poll_until(feed, seen, lambda seen: 2 in seen.sequences(first))
    assert {each.sequence: each.record for each in seen.deliveries} == {1: record_of(first, 1), 2: record_of(first, 2)}


async def test_a_heartbeat_arrives_with_time_and_heads(source: Source, feed: Feed) -> None:
    """Lag is computed from nothing else."""
    seen = await follow(source, feed, {first: start})
    await source.beat({first: 12, second: 3}, time_us=1_700_000_123_456_789)
    await poll_until(feed, seen, lambda seen: any(beat.heads for beat in seen.heartbeats))
    beat = next(beat for beat in seen.heartbeats if beat.heads)
    assert (beat.time_us, beat.heads) == (1_700_000_123_456_789, {first: 12, second: 3})


async def test_a_change_ends_the_wait_for_one(source: Source, feed: Feed) -> None:
    """Otherwise every change would be as late as the wait is long."""
    seen = await follow(source, feed, {first: start})
    await source.publish(first, [1])
    await poll_until(feed, seen, lambda seen: 1 in seen.sequences(first))
    polling = asyncio.create_task(poll_until(feed, seen, lambda seen: 2 in seen.sequences(first)))
    await source.publish(first, [2])
    began = time.monotonic()
    await polling
    assert time.monotonic() - began < 1.0


async def test_a_poll_without_news_ends_after_its_wait(source: Source, feed: Feed) -> None:
    """Who follows has other things to do, such as taking up new lanes."""
    await follow(source, feed, {first: start})
    began = time.monotonic()
    batch = await feed.poll(wait_s=0.3)
    assert not batch.deliveries
    assert time.monotonic() - began < 2.0


async def test_a_poll_that_is_cancelled_loses_nothing(source: Source, feed: Feed) -> None:
    """Who follows interrupts the wait when there are other lanes to follow."""
    seen = await follow(source, feed, {first: start})
    await source.publish(first, [1])
    await poll_until(feed, seen, lambda seen: 1 in seen.sequences(first))
    for sequence in range(2, 8):
        polling = asyncio.create_task(feed.poll(wait_s=5.0))
        await source.publish(first, [sequence])
        polling.cancel()
        with suppress(asyncio.CancelledError):
            batch = await polling
            seen.deliveries += batch.deliveries
    await poll_until(feed, seen, lambda seen: 7 in seen.sequences(first))
    assert list(dict.fromkeys(seen.sequences(first))) == [1, 2, 3, 4, 5, 6, 7]


async def test_lanes_that_are_not_followed_are_not_delivered(source: Source, feed: Feed) -> None:
    """A worker has a share of the lanes, and lanes that are being copied must wait for their position."""
    seen = await follow(source, feed, {first: start})
    await source.publish(second, [1])
    await source.publish(other_table, [1])
    await source.publish(first, [1])
    await poll_until(feed, seen, lambda seen: 1 in seen.sequences(first))
    assert {delivery.lane for delivery in seen.deliveries} == {first}


async def test_nothing_is_left_out_silently_before_a_lane_was_followed(source: Source, feed: Feed) -> None:
    """A lane is followed after it was written to: everything behind its position comes, or an interruption is told."""
    await source.publish(first, range(1, 6))
    seen = Seen()
    await feed.follow({first: start})
    await poll_until(feed, seen, lambda seen: seen.interruptions or 5 in seen.sequences(first))
    assert seen.interruptions or list(dict.fromkeys(seen.sequences(first))) == [1, 2, 3, 4, 5]


async def test_nothing_is_left_out_silently_of_a_lane_that_is_added(source: Source, feed: Feed) -> None:
    """A replica that is made while the link is at work must not miss what was written before the link knew of it."""
    seen = await follow(source, feed, {first: start})
    await source.publish(second, range(1, 4))
    await feed.follow({first: start, second: Position(1)})
    await poll_until(feed, seen, lambda seen: seen.interruptions or 3 in seen.sequences(second))
    assert seen.interruptions or {2, 3} <= set(seen.sequences(second))


async def test_a_follower_that_comes_back_misses_nothing_silently(source: Source, feed: Feed) -> None:
    """After a restart a follower goes on from the positions that it stored; what came meanwhile must not be lost."""
    seen = await follow(source, feed, {first: start})
    await source.publish(first, [1, 2])
    await poll_until(feed, seen, lambda seen: 2 in seen.sequences(first))
    position = Position(2, seen.deliveries[-1].offset)
    await feed.close()
    await source.publish(first, [3, 4])
    again = source.open_feed()
    seen = Seen()
    await again.follow({first: position})
    await poll_until(again, seen, lambda seen: seen.interruptions or 4 in seen.sequences(first))
    await again.close()
    assert seen.interruptions or seen.sequences(first) == [3, 4]


async def test_an_interruption_tells_all_heads_or_none(source: Source, feed: Feed) -> None:
    """A head that is told may be relied upon: it is no lower than what was published before."""
    await source.publish(first, [1, 2, 3])
    seen = Seen()
    await feed.follow({first: Position(3)})
    await poll_until(feed, seen, lambda seen: seen.interruptions)
    assert all(beat.heads.get(first, 3) >= 3 for beat in seen.heartbeats)


async def test_what_the_carrier_has_lost_is_told_as_an_interruption(source: Source, feed: Feed) -> None:
    """A carrier that starts empty again counts anew; its first records must not be taken for the next ones."""
    seen = await follow(source, feed, {first: start})
    await source.publish(first, [1, 2, 3])
    await poll_until(feed, seen, lambda seen: 3 in seen.sequences(first))
    assert not seen.interruptions
    await source.lose_everything(first)
    await source.publish(first, [5])
    await poll_until(feed, seen, lambda seen: seen.interruptions)


async def test_after_an_interruption_the_feed_goes_on(source: Source, feed: Feed) -> None:
    """Filling covers what was lost; what is published from then on comes through the feed again."""
    seen = await follow(source, feed, {first: start})
    await source.publish(first, [1, 2, 3])
    await poll_until(feed, seen, lambda seen: 3 in seen.sequences(first))
    await source.lose_everything(first)
    await source.publish(first, [4])
    await poll_until(feed, seen, lambda seen: seen.interruptions)
    await source.publish(first, [5])
    await poll_until(feed, seen, lambda seen: 5 in seen.sequences(first))


async def test_a_source_that_is_not_there_is_an_error_in_time(source: Source) -> None:
    """A link backs off and tries again; a poll that hung would hold up nothing but itself, for ever.

    What is wrong is shown to people, whom a broker's or a relay's address tells nothing.
    """
    feed = source.open_feed_of_nobody()
    await feed.follow({first: start})
    for _ in range(2):
        with pytest.raises(FeedUnavailableError) as away:
            async with asyncio.timeout(8):
                await feed.poll(wait_s=1.0)
        assert "127.0.0.1" not in str(away.value)
    await feed.close()


async def test_offsets_are_told_by_feeds_that_have_them(source: Source, feed: Feed) -> None:
    """A position without an offset begins at the end of the topic, and everything has to be filled."""
    seen = await follow(source, feed, {first: start})
    await source.publish(first, [1, 2])
    await poll_until(feed, seen, lambda seen: 2 in seen.sequences(first))
    offsets = [delivery.offset for delivery in seen.deliveries]
    assert offsets == ([0, 1] if isinstance(source, KafkaSource) else [no_offset, no_offset])
