"""Disks and files: how long commits take, how many writes share one, what is stored, and how much room there is."""

from grafana_foundation_sdk.builders import timeseries
from grafana_foundation_sdk.builders.dashboard import Row

from deploy.dashboards.board import Board, Limits, Query, board, choice, graph, number, regions

_region = '{region=~"$region"}'
_tables = '{region=~"$region", table=~"$table"}'
_by_table = "{{region}}  {{table}}"


def storage() -> Board:
    return (
        board(
            "meridian-storage",
            "Meridian: storage",
            "One encrypted SQLite file a partition; one fsync for every group of writes. Tables show that were used "
            "since the region started.",
        )
        .with_variable(regions())
        .with_variable(choice("table", "Table", values_of="meridian_table_items"))
        .with_row(Row("Is there room?"))
        .with_panel(
            number(
                "Free disk",
                "Free share of the file system below the data. When it is full, writes are refused with "
                "ServiceUnavailable and nothing is lost.",
                Query(f"region:meridian_disk_free:ratio{_region}", "{{region}}"),
                unit="percentunit",
                limits=Limits(yellow=0.25, red=0.1),
                decimals=0,
                width=8,
                height=8,
            )
        )
        .with_panel(
            graph(
                "Free disk space",
                "In bytes. A steady slope is the day on which it is full: the alert DiskFillsUp draws it a day ahead.",
                Query(f"min by (region) (meridian_disk_free_bytes{_region})", "{{region}}"),
                unit="bytes",
                width=16,
            )
        )
        .with_row(Row("Do commits go well?"))
        .with_panel(
            _group(
                "Group commit time",
                "Median and p99 of one transaction with its fsync. A slow disk shows here first.",
                metric="meridian_group_commit_seconds",
                unit="s",
            )
        )
        .with_panel(
            _group(
                "Group commit size",
                "Median and p99 of the jobs that shared one fsync. One when idle; grows with load, and takes load off "
                "the disk.",
                metric="meridian_group_commit_jobs",
                unit="short",
            )
        )
        .with_panel(
            graph(
                "Commits and jobs",
                "A second. Jobs are writes, applied batches and bookkeeping; their distance is what group commit "
                "saves.",
                Query(
                    f"sum by (region) (rate(meridian_group_commit_seconds_count{_region}[$__rate_interval]))",
                    "commits  {{region}}",
                ),
                Query(
                    f"sum by (region) (rate(meridian_group_commit_jobs_sum{_region}[$__rate_interval]))",
                    "jobs  {{region}}",
                ),
                unit="ops",
                width=8,
            )
        )
        .with_row(Row("What is stored?"))
        .with_panel(
            graph(
                "Items",
                "Live items. The same in every region when replication is in step.",
                Query(f"sum by (region, table) (meridian_table_items{_tables})", _by_table),
                unit="short",
                width=8,
            )
        )
        .with_panel(
            graph(
                "Bytes of items",
                "Live items with their keys, as stored.",
                Query(f"sum by (region, table) (meridian_table_bytes{_tables})", _by_table),
                unit="bytes",
                width=8,
            )
        )
        .with_panel(
            graph(
                "Changes in the log",
                "Kept for a day at least, and until every replica has applied them.",
                Query(f"sum by (region, table) (meridian_change_log_rows{_tables})", _by_table),
                unit="short",
                width=8,
            )
        )
        .with_panel(
            graph(
                "Partition files",
                "Items, tombstones and change log together. Files keep the room that trimmed changes leave, and use "
                "it again.",
                Query(_files("data"), _by_table),
                unit="bytes",
                width=8,
            )
        )
        .with_panel(
            graph(
                "Write-ahead logs",
                "WAL files, some megabytes a partition at most. More: checkpoints fail, or a reader keeps an old "
                "state open.",
                Query(_files("wal"), _by_table),
                unit="bytes",
                width=8,
            )
        )
        .with_panel(
            graph(
                "Background jobs that failed",
                "In five minutes, by job. heartbeat fails while Kafka is away; others should never.",
                Query(
                    f"sum by (region, exported_job) (increase(meridian_job_failures_total{_region}[5m]))",
                    "{{region}}  {{exported_job}}",
                ),
                unit="short",
                width=8,
            )
        )
        .with_row(Row("Do items go when their time is over?"))
        .with_panel(
            graph(
                "Expired items",
                "A second, by the region that removed them: the one that wrote an item last, or any after half a "
                "minute.",
                Query(
                    f"sum by (region, table) (rate(meridian_expired_items_total{_tables}[$__rate_interval]))", _by_table
                ),
                unit="cps",
            )
        )
        .with_panel(
            graph(
                "How far the sweep is behind",
                "Since when the oldest item that is still there was due. Some seconds, and half a minute where another "
                "region goes first; a climb means that more expires than is removed, or that the sweep fails.",
                Query(f"max by (region, table) (meridian_expiry_behind_seconds{_tables})", _by_table),
                unit="s",
                limits=Limits(yellow=60, red=600),
            )
        )
    )


def _group(title: str, description: str, *, metric: str, unit: str) -> timeseries.Panel:
    buckets = f"sum by (region, le) (rate({metric}_bucket{_region}[$__rate_interval]))"
    return graph(
        title,
        description,
        Query(f"histogram_quantile(0.5, {buckets})", "p50  {{region}}"),
        Query(f"histogram_quantile(0.99, {buckets})", "p99  {{region}}"),
        unit=unit,
        width=8,
    )


def _files(kind: str) -> str:
    selector = f'{{region=~"$region", table=~"$table", file="{kind}"}}'
    return f"sum by (region, table) (meridian_table_file_bytes{selector})"
