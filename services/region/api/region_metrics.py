"""What a region's storage and its side of replication say to Prometheus, gathered when somebody scrapes."""

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from services.region.engine.registry import Registry, Table
from services.region.engine.replication import ReplicationCounts
from services.region.storage.partition_file import PartitionState
from services.region.storage.writer import Group
from shared.histograms import Histogram

_group_jobs = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)
_group_seconds = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)


class GroupMetrics:
    """Group commits, observed by the commit path."""

    def __init__(self) -> None:
        self.jobs = Histogram(_group_jobs)
        self.seconds = Histogram(_group_seconds)

    def observe(self, group: Group) -> None:
        self.jobs.observe(len(group.jobs))
        self.seconds.observe(group.duration_s)


class RegionMetrics(Collector):
    def __init__(self, registry: Registry, *, groups: GroupMetrics, counts: ReplicationCounts) -> None:
        self._registry = registry
        self._groups = groups
        self._counts = counts

    def collect(self) -> Iterable[Metric]:
        yield _histogram("meridian_group_commit_jobs", "Jobs that shared one durable commit.", self._groups.jobs)
        yield _histogram(
            "meridian_group_commit_seconds", "Time of one transaction, its fsync included.", self._groups.seconds
        )
        yield from self._tables()
        yield self._changes()

    def _tables(self) -> Iterable[Metric]:
        """Of tables whose partitions were used since the start; looking opens no file."""
        gauges = {
            name: GaugeMetricFamily(f"meridian_{name}", text, labels=("table",))
            for name, text in {
                "table_items": "Live items.",
                "table_bytes": "Bytes of live items, keys included, as stored.",
                "change_log_rows": "Changes that the log of the table holds.",
                "origin_sequence": "Changes made in this region, summed over partitions.",
                "published_sequence": "How many of them Kafka has; 0 on the embedded feed.",
            }.items()
        }
        for table in self._registry.all():
            states = _known_states(table)
            if states:
                label = (table.definition.name,)
                gauges["table_items"].add_metric(label, sum(state.item_count for state in states))
                gauges["table_bytes"].add_metric(label, sum(state.size_bytes for state in states))
                rows = sum(state.sequence - state.trimmed_sequence for state in states)
                gauges["change_log_rows"].add_metric(label, rows)
                gauges["origin_sequence"].add_metric(label, sum(state.origin_sequence for state in states))
                gauges["published_sequence"].add_metric(label, sum(state.published_sequence for state in states))
        return gauges.values()

    def _changes(self) -> Metric:
        changes = CounterMetricFamily(
            "meridian_remote_changes", "Changes of other regions that arrived here.", labels=("source", "outcome")
        )
        for (source, outcome), count in self._counts.outcomes.items():
            changes.add_metric((source, outcome), count)
        return changes


def _known_states(table: Table) -> list[PartitionState]:
    return [state for partition in table.partitions if (state := partition.known_state) is not None]


def _histogram(name: str, text: str, histogram: Histogram) -> Metric:
    family = HistogramMetricFamily(name, text)
    family.add_metric((), histogram.buckets(), histogram.total)
    return family
