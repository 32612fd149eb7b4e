"""Storage: group commits, tables and their files, what is removed of them, and the disk below."""

import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.region.api.metrics.families import histogram, of_tables, used_partitions
from services.region.engine.registry import Registry
from services.region.engine.retention import Retention
from services.region.engine.time_to_live import Expiry
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
        yield histogram("meridian_group_commit_jobs", "Jobs that shared one durable commit.", self._groups.jobs)
        yield histogram(
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
        items = of_tables("meridian_table_items", "Live items.")
        size = of_tables("meridian_table_bytes", "Bytes of live items, keys included, as stored.")
        log = of_tables("meridian_change_log_rows", "Changes that the log of the table holds.")
        origin = of_tables("meridian_origin_sequence", "Changes made in this region, summed over partitions.")
        published = of_tables("meridian_published_sequence", "How many of them Kafka has; 0 on the embedded feed.")
        for name, used in used_partitions(self._registry.all()).items():
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
        for name, used in used_partitions(self._registry.all()).items():
            paths = [partition.path for partition, _ in used]
            files.add_metric((name, "data"), sum(map(_size_bytes, paths)))
            files.add_metric((name, "wal"), sum(_size_bytes(path.with_name(path.name + "-wal")) for path in paths))
        return files

    def _expiries(self) -> Iterable[Metric]:
        expired = CounterMetricFamily(
            "meridian_expired_items", "Items that were removed because their time was over.", labels=("table",)
        )
        behind = of_tables("meridian_expiry_behind_seconds", "Since when the oldest item that is left was due, or 0.")
        totals: dict[str, tuple[int, float]] = {}
        for name, count, behind_s in self._expiry.standings():
            before = totals.get(name, (0, 0.0))
            totals[name] = (before[0] + count, max(before[1], behind_s))
        for name, (count, behind_s) in totals.items():
            expired.add_metric((name,), count)
            behind.add_metric((name,), behind_s)
        return expired, behind


def _size_bytes(path: Path) -> int:
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return 0
