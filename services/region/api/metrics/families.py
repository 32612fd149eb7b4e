"""Metric families as the collectors make them, and the partitions that they speak of."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric

from services.region.engine.registry import Table
from services.region.storage.partition_state import PartitionState
from services.region.storage.partitions import Partition
from shared.histograms import Histogram


def used_partitions(tables: Iterable[Table]) -> Mapping[str, Sequence[tuple[Partition, PartitionState]]]:
    """Used partitions by table name; a table that is being deleted counts with a new one of its name."""
    used: dict[str, list[tuple[Partition, PartitionState]]] = {}
    for table in tables:
        if known := list(_known(table)):
            used.setdefault(table.definition.name, []).extend(known)
    return used


def _known(table: Table) -> Iterator[tuple[Partition, PartitionState]]:
    for partition in table.partitions:
        state = partition.known_state
        if state is not None:
            yield partition, state


def of_tables(name: str, text: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=("table",))


def histogram(name: str, text: str, observed: Histogram) -> Metric:
    family = HistogramMetricFamily(name, text)
    family.add_metric((), observed.buckets(), observed.total)
    return family
