"""What a region's storage, transactions, feed and side of replication say to Prometheus, gathered at each scrape.

Nothing here opens a file: tables show whose partitions were used since the start.
"""

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from services.region.engine.feed_tally import FeedTally
from services.region.engine.followers import Followers
from services.region.engine.links import Links
from services.region.engine.registry import Registry, Table
from services.region.engine.replication import ReplicationCounts
from services.region.engine.retention import Retention
from services.region.engine.time_to_live import Expiry
from services.region.engine.transaction_tally import TransactionTally
from services.region.storage.partition_state import PartitionState
from services.region.storage.partitions import Partition
from services.region.storage.writer import Group
from shared.histograms import Histogram

catalog_name = "(catalog)"  # as table of the catalog lane; no table can be called so

_group_jobs = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)
_group_seconds = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_outcomes = ("applied", "superseded", "duplicate", "conflicts", "dead_letters", "drifted")


class GroupMetrics:
    """Group commits, observed by the commit path."""

    def __init__(self) -> None:
        self.jobs = Histogram(_group_jobs)
        self.seconds = Histogram(_group_seconds)

    def observe(self, group: Group) -> None:
        self.jobs.observe(len(group.jobs))
        self.seconds.observe(group.duration_s)


class StorageMetrics(Collector):
    """Group commits, tables, files, what is removed of them, and the disk below them."""

    def __init__(
        self, registry: Registry, *, groups: GroupMetrics, retention: Retention, expiry: Expiry, data: Path
    ) -> None:
        self._registry = registry
        self._groups = groups
        self._retention = retention
        self._expiry = expiry
        self._data = data

    def collect(self) -> Iterable[Metric]:
        yield _histogram("meridian_group_commit_jobs", "Jobs that shared one durable commit.", self._groups.jobs)
        yield _histogram(
            "meridian_group_commit_seconds", "Time of one transaction, its fsync included.", self._groups.seconds
        )
        disk = shutil.disk_usage(self._data)
        yield GaugeMetricFamily("meridian_disk_free_bytes", "Free, where the data directory lies.", value=disk.free)
        yield GaugeMetricFamily(
            "meridian_disk_size_bytes", "Size of the data directory's file system.", value=disk.total
        )
        yield CounterMetricFamily(
            "meridian_tombstones_collected",
            "Tombstones that were removed, older than a day and passed by every replica.",
            value=self._retention.tombstones_collected,
        )
        yield from self._tables()
        yield self._files()
        yield from self._expiries()

    def _tables(self) -> Iterable[Metric]:
        items = _of_tables("meridian_table_items", "Live items.")
        size = _of_tables("meridian_table_bytes", "Bytes of live items, keys included, as stored.")
        log = _of_tables("meridian_change_log_rows", "Changes that the log of the table holds.")
        origin = _of_tables("meridian_origin_sequence", "Changes made in this region, summed over partitions.")
        published = _of_tables("meridian_published_sequence", "How many of them Kafka has; 0 on the embedded feed.")
        for name, used in _by_name(self._registry).items():
            states = [state for _, state in used]
            items.add_metric((name,), sum(state.item_count for state in states))
            size.add_metric((name,), sum(state.size_bytes for state in states))
            log.add_metric((name,), sum(state.sequence - state.trimmed_sequence for state in states))
            origin.add_metric((name,), sum(state.origin_sequence for state in states))
            published.add_metric((name,), sum(state.published_sequence for state in states))
        return items, size, log, origin, published

    def _files(self) -> Metric:
        files = GaugeMetricFamily(
            "meridian_table_file_bytes", "Size of partition files and their WALs.", labels=("table", "file")
        )
        for name, used in _by_name(self._registry).items():
            paths = [partition.path for partition, _ in used]
            files.add_metric((name, "data"), sum(map(_size_bytes, paths)))
            files.add_metric((name, "wal"), sum(_size_bytes(path.with_name(path.name + "-wal")) for path in paths))
        return files

    def _expiries(self) -> Iterable[Metric]:
        expired = CounterMetricFamily(
            "meridian_expired_items", "Items that were removed because their time was over.", labels=("table",)
        )
        behind = _of_tables("meridian_expiry_behind_seconds", "Since when the oldest item that is left was due, or 0.")
        totals: dict[str, tuple[int, float]] = {}
        for name, count, behind_s in self._expiry.standings():
            before = totals.get(name, (0, 0.0))
            totals[name] = (before[0] + count, max(before[1], behind_s))
        for name, (count, behind_s) in totals.items():
            expired.add_metric((name,), count)
            behind.add_metric((name,), behind_s)
        return expired, behind


class TransactionMetrics(Collector):
    def __init__(self, tally: TransactionTally) -> None:
        self._tally = tally

    def collect(self) -> Iterable[Metric]:
        transactions = CounterMetricFamily(
            "meridian_transactions", "Transactions, by what became of them.", labels=("outcome",)
        )
        for outcome, count in self._tally.outcomes.items():
            transactions.add_metric((outcome,), count)
        yield transactions
        yield _histogram(
            "meridian_transaction_round_members",
            "Transactions that were committed together.",
            self._tally.round_members,
        )
        yield GaugeMetricFamily(
            "meridian_transactions_unwritten",
            "Committed transactions of which something could not be written yet.",
            value=self._tally.unwritten,
        )


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
        yield _histogram(
            "meridian_feed_publish_seconds", "Commit until followers can read the change.", self._feed.publish_s
        )
        yield self._unpublished()
        yield from self._unapplied()
        yield self._arrived()
        yield self._dead_letters()

    def _unpublished(self) -> Metric:
        unpublished = _of_tables("meridian_feed_unpublished_changes", "Changes that followers can't read yet.")
        shared = {
            name: sum(state.origin_sequence - state.published_sequence for _, state in used)
            for name, used in _by_name(self._registry, is_global=True).items()
        }
        catalog = self._definitions.known_state
        if catalog is not None:
            shared[catalog_name] = catalog.origin_sequence - catalog.published_sequence
        for name, count in shared.items():
            unpublished.add_metric((name,), count if self._publishes else 0)
        return unpublished

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
        zeros = dict.fromkeys(((source, outcome) for source in names for outcome in _outcomes), 0)
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
        for name, used in _by_name(self._registry, is_global=True).items():
            states += [(name, state) for _, state in used]
        for table, state in states:
            for source, count in state.dead_letters.items():
                counts[source, table] = counts.get((source, table), 0) + count
        for (source, table), count in counts.items():
            put_aside.add_metric((self._sources.get(source, str(source)), table), count)
        return put_aside


def _by_name(
    registry: Registry, *, is_global: bool = False
) -> Mapping[str, Sequence[tuple[Partition, PartitionState]]]:
    """Used partitions by table name; a table that is being deleted counts with a new one of its name."""
    used: dict[str, list[tuple[Partition, PartitionState]]] = {}
    for table in registry.all():
        known = list(_known(table))
        if known and (table.definition.is_global or not is_global):
            used.setdefault(table.definition.name, []).extend(known)
    return used


def _known(table: Table) -> Iterator[tuple[Partition, PartitionState]]:
    for partition in table.partitions:
        state = partition.known_state
        if state is not None:
            yield partition, state


def _size_bytes(path: Path) -> int:
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return 0


def _of_tables(name: str, text: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=("table",))


def _histogram(name: str, text: str, histogram: Histogram) -> Metric:
    family = HistogramMetricFamily(name, text)
    family.add_metric((), histogram.buckets(), histogram.total)
    return family
