"""Replication: the feed, how far others have come with it, and what arrived from them."""

from collections.abc import Iterable, Mapping, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.region.api.metrics.families import histogram, of_tables, used_partitions
from services.region.engine.feed_tally import FeedTally
from services.region.engine.followers import Followers
from services.region.engine.links import Links
from services.region.engine.registry import Registry
from services.region.engine.remote_changes import outcome_names
from services.region.engine.replication import ReplicationCounts
from services.region.storage.partition_state import PartitionState
from services.region.storage.partitions import Partition

catalog_name = "(catalog)"  # as table of the catalog lane; no table can be called so


class ReplicationMetrics(Collector):
    """The feed, how far others have come with it, and what arrived from them.

    `retention_s` is how long the feed itself keeps a change: infinite when it is the change log, which keeps what a
    replica still needs. `publishes` says whether changes have to be published to Kafka before anybody can read them.
    `sources` are the other regions, name by number.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        definitions: Partition,
        feed: FeedTally,
        followers: Followers,
        links: Links,
        counts: ReplicationCounts,
        sources: Mapping[int, str],
        retention_s: float,
        publishes: bool,
    ) -> None:
        self._registry = registry
        self._definitions = definitions
        self._feed = feed
        self._followers = followers
        self._links = links
        self._counts = counts
        self._sources = sources
        self._retention_s = retention_s
        self._publishes = publishes

    def collect(self) -> Iterable[Metric]:
        if self._sources:
            yield GaugeMetricFamily(
                "meridian_replicator_workers",
                "Replicators of this region that it has heard of lately.",
                value=self._links.worker_count,
            )
        yield CounterMetricFamily(
            "meridian_feed_heartbeats", "Heartbeats that the feed has taken.", value=self._feed.heartbeats
        )
        yield histogram(
            "meridian_feed_publish_seconds", "Commit until followers can read the change.", self._feed.publish_s
        )
        yield self._unpublished()
        yield from self._unapplied()
        yield self._arrived()
        yield self._dead_letters()

    def _unpublished(self) -> Metric:
        unpublished = of_tables("meridian_feed_unpublished_changes", "Changes that followers can't read yet.")
        shared = {
            name: sum(state.origin_sequence - state.published_sequence for _, state in used)
            for name, used in self._shared().items()
        }
        catalog = self._definitions.known_state
        if catalog is not None:
            shared[catalog_name] = catalog.origin_sequence - catalog.published_sequence
        for name, count in shared.items():
            unpublished.add_metric((name,), count if self._publishes else 0)
        return unpublished

    def _shared(self) -> Mapping[str, Sequence[tuple[Partition, PartitionState]]]:
        return used_partitions(table for table in self._registry.all() if table.definition.is_global)

    def _unapplied(self) -> Iterable[Metric]:
        labels = ("target", "table")
        unapplied = GaugeMetricFamily(
            "meridian_feed_unapplied_changes", "Changes that the target has not acknowledged.", labels=labels
        )
        oldest = GaugeMetricFamily(
            "meridian_feed_oldest_unapplied_seconds", "Age of the oldest of them, 0 if there is none.", labels=labels
        )
        headroom = GaugeMetricFamily(
            "meridian_feed_headroom_seconds", "Until that one falls out of the feed's retention.", labels=labels
        )
        totals: dict[tuple[str, str], tuple[int, float]] = {}
        for target, table, count, age_s in self._followers.standings():
            name = (target, table or catalog_name)
            before = totals.get(name, (0, 0.0))
            totals[name] = (before[0] + count, max(before[1], age_s))
        for name, (count, age_s) in totals.items():
            unapplied.add_metric(name, count)
            oldest.add_metric(name, age_s)
            headroom.add_metric(name, max(0.0, self._retention_s - age_s))
        return unapplied, oldest, headroom

    def _arrived(self) -> Metric:
        changes = CounterMetricFamily(
            "meridian_remote_changes", "Changes of other regions that arrived here.", labels=("source", "outcome")
        )
        names = self._sources.values()
        zeros = dict.fromkeys(((source, outcome) for source in names for outcome in outcome_names), 0)
        for (source, outcome), count in (zeros | self._counts.outcomes).items():
            changes.add_metric((source, outcome), count)
        return changes

    def _dead_letters(self) -> Metric:
        """Of tables only where there are any: a region may have thousands of tables."""
        put_aside = GaugeMetricFamily(
            "meridian_dead_letters",
            "Changes that were put aside and lie in partition files.",
            labels=("source", "table"),
        )
        counts = dict.fromkeys(((source, catalog_name) for source in self._sources), 0)
        catalog = self._definitions.known_state
        states = [] if catalog is None else [(catalog_name, catalog)]
        for name, used in self._shared().items():
            states += [(name, state) for _, state in used]
        for table, state in states:
            for source, count in state.dead_letters.items():
                counts[source, table] = counts.get((source, table), 0) + count
        for (source, table), count in counts.items():
            put_aside.add_metric((self._sources.get(source, str(source)), table), count)
        return put_aside
