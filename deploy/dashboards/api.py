"""Requests as clients see them: how many, how they end, how long they take, and what they cost the process."""

from grafana_foundation_sdk.builders import timeseries
from grafana_foundation_sdk.builders.dashboard import Row

from deploy.dashboards.board import Board, Limits, Query, board, graph, regions

_region = 'region=~"$region"'
_by_operation = "{{region}}  {{operation}}"


def api() -> Board:
    return (
        board(
            "meridian-api",
            "Meridian: API",
            "Requests over DynamoDB's wire and the resource REST alike, by operation.",
        )
        .with_variable(regions())
        .with_row(Row("How many, and how do they end?"))
        .with_panel(
            graph(
                "Requests by operation",
                "Answered a second, whatever the outcome.",
                Query(_rate("region, operation"), _by_operation),
                unit="reqps",
                is_stacked=True,
            )
        )
        .with_panel(
            graph(
                "Refusals and failures",
                "Answers other than success, by their code. InternalServerError and ServiceUnavailable are the "
                "region's fault; the others are the answer to what was asked.",
                Query(
                    _rate("region, operation, outcome", more=', outcome!="ok"'),
                    "{{region}}  {{operation}}  {{outcome}}",
                ),
                unit="reqps",
            )
        )
        .with_row(Row("How long do they take?"))
        .with_panel(_latency("Latency, p50", "Half of the requests are answered sooner.", quantile=0.5))
        .with_panel(_latency("Latency, p99", "One request in a hundred takes longer.", quantile=0.99))
        .with_panel(
            graph(
                "Latency, mean",
                "From the whole request to its reply, by operation. Mean and p50 far apart: few requests are very "
                "slow.",
                Query(
                    f"{_rate('region, operation', metric='meridian_request_seconds_sum')}"
                    f" / {_rate('region, operation', metric='meridian_request_seconds_count')}",
                    _by_operation,
                ),
                unit="s",
                width=8,
            )
        )
        .with_row(Row("Are transactions done?"))
        .with_panel(
            graph(
                "Transactions",
                "A second, of both wires and of statements. cancelled: a condition did not hold or an item was in use; "
                "committed ones are done, at once or as the panel to the right says.",
                Query(
                    f"sum by (region, outcome) (rate(meridian_transactions_total{{{_region}}}[$__rate_interval]))",
                    "{{region}}  {{outcome}}",
                ),
                unit="ops",
                width=8,
            )
        )
        .with_panel(
            graph(
                "Transactions in a round",
                "Mean of those that were committed together, with one fsync. One when few come; more under load or "
                "when many touch the same partitions.",
                Query(f"{_members('sum')} / {_members('count')}", "{{region}}"),
                unit="short",
                width=8,
            )
        )
        .with_panel(
            graph(
                "Committed, not yet written",
                "Transactions that some partition could not take after their commit. Zero is what it should be: more "
                "is a full disk, and who writes to these partitions is refused.",
                Query(f"max by (region) (meridian_transactions_unwritten{{{_region}}})", "{{region}}"),
                unit="short",
                limits=Limits(yellow=0.5, red=0.9),
                width=8,
            )
        )
        .with_row(Row("What does it cost?"))
        .with_panel(
            graph(
                "CPU of each process",
                "Cores in use. A region answers on one core and writes on a few threads beside it: near one, it is "
                "busy; then latency rises first.",
                Query(
                    f"sum by (service, region) (rate(process_cpu_seconds_total{{{_region}}}[$__rate_interval]))",
                    "{{service}}  {{region}}",
                ),
                unit="short",
                limits=Limits(yellow=0.8, red=1),
                width=8,
            )
        )
        .with_panel(
            graph(
                "Memory of each process",
                "Resident. It grows with open partitions and the tail of the feed, up to bounds; steady growth is a "
                "defect.",
                Query(
                    f"sum by (service, region) (process_resident_memory_bytes{{{_region}}})", "{{service}}  {{region}}"
                ),
                unit="bytes",
                width=8,
            )
        )
        .with_panel(
            graph(
                "Up for",
                "Since the process began. A line that falls to zero is a restart.",
                Query(f"time() - process_start_time_seconds{{{_region}}}", "{{service}}  {{region}}"),
                unit="s",
                width=8,
            )
        )
    )


def _latency(title: str, description: str, *, quantile: float) -> timeseries.Panel:
    buckets = _rate("region, operation, le", metric="meridian_request_seconds_bucket")
    return graph(
        title,
        description,
        Query(f"histogram_quantile({quantile}, {buckets})", _by_operation),
        unit="s",
        limits=Limits(yellow=0.1, red=0.25),
        width=8,
    )


def _members(part: str) -> str:
    return f"sum by (region) (rate(meridian_transaction_round_members_{part}{{{_region}}}[$__rate_interval]))"


def _rate(by: str, *, metric: str = "meridian_requests_total", more: str = "") -> str:
    return f"sum by ({by}) (rate({metric}{{{_region}{more}}}[$__rate_interval]))"
