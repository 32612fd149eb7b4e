"""How long changes take from region to region, which link and table is behind, and in which stage the time goes."""

from grafana_foundation_sdk.builders import timeseries
from grafana_foundation_sdk.builders.dashboard import Row

from deploy.dashboards.board import (
    Board,
    Limits,
    Query,
    board,
    graph,
    link_name,
    link_table_name,
    rows,
    sources,
    tables,
    targets,
)

_links = '{source=~"$source", target=~"$target"}'
_tables = '{source=~"$source", target=~"$target", table=~"$table"}'


def lag() -> Board:
    published = _mean("meridian_feed_publish_seconds", by="source", selector='{source=~"$source"}')
    received = _mean("meridian_link_receive_seconds", by="source, target", selector=_links)
    applied = _mean("meridian_link_apply_seconds", by="source, target", selector=_links)
    return (
        board(
            "meridian-lag",
            "Meridian: lag",
            "Change lag is commit at the source to applied at the target, of single changes. Frontier lag is the age "
            "of the time up to which the target has everything: 0 when idle and healthy, rising when stuck.",
        )
        .with_variable(sources())
        .with_variable(targets())
        .with_variable(tables())
        .with_row(Row("How far behind?"))
        .with_panel(
            graph(
                "Frontier lag by link and table",
                "Worry when it climbs for longer than a restart takes. All lines of one source: the source or its "
                "Kafka; all of one target: its replicator or region; one table: a stuck lane.",
                Query(f"link_table:meridian_link_frontier_lag_seconds:max{_tables}", link_table_name),
                unit="s",
                limits=Limits(yellow=5, red=30),
                width=14,
                height=9,
            )
        )
        .with_panel(
            rows(
                "State by link and table",
                "FOLLOWING is what it should be. CATCHING_UP fetches what the feed left out from the source's change "
                "log.",
                Query(f"max by (source, target, table, state) (meridian_link_state{_tables})"),
                columns=("source", "target", "table", "state"),
                width=10,
                height=9,
            )
        )
        .with_row(Row("How long does one change take?"))
        .with_panel(_change_lag("Change lag, p50", "Half of the changes are applied sooner.", quantile=0.5))
        .with_panel(_change_lag("Change lag, p99", "One change in a hundred takes longer.", quantile=0.99))
        .with_panel(
            graph(
                "Change lag, largest",
                "The slowest change of the last half to whole minute. After a cut it is about as long as the cut was.",
                Query(
                    f"max by (source, target, table) (meridian_link_change_lag_max_seconds{_tables})", link_table_name
                ),
                unit="s",
                width=8,
            )
        )
        .with_row(Row("In which stage does the time go?"))
        .with_panel(
            graph(
                "Commit → published",
                "Mean, by source: until followers can read a change. Long: Kafka is slow or away. The embedded feed "
                "needs next to nothing.",
                Query(published, "{{source}}"),
                unit="s",
                width=8,
            )
        )
        .with_panel(
            graph(
                "Published → received",
                "Mean, by link: commit to received, less commit to published. Long: the network, the feed, or a "
                "replicator that still applies what came before.",
                Query(f"clamp_min({received} - on (source) group_left () {published}, 0)", link_name),
                unit="s",
                width=8,
            )
        )
        .with_panel(
            graph(
                "Received → applied",
                "Mean, by link: from the replicator's hands into the target's files. Long: the target region is busy, "
                "or its disk slow.",
                Query(applied, link_name),
                unit="s",
                width=8,
            )
        )
        .with_row(Row("Clocks and connections"))
        .with_panel(
            graph(
                "Heartbeat delay",
                "Arrival by the target's clock, less the time that the source wrote into it: the way, and the "
                "difference of the clocks. Below zero the source's clock is ahead; steadily large, it is behind. "
                "Stands still while nothing arrives.",
                Query(f"max by (source, target) (meridian_link_heartbeat_delay_seconds{_links})", link_name),
                unit="s",
            ).min(-1)
        )
        .with_panel(
            graph(
                "Disconnects, failures and fills",
                "In five minutes, by link: times that the source was lost, times that the link itself failed, and "
                "pages fetched from the source's change log because the feed left something out.",
                Query(_within("meridian_link_disconnects_total", _links), f"lost  {link_name}"),
                Query(_within("meridian_link_failures_total", _links), f"failed  {link_name}"),
                Query(_within("meridian_link_fills_total", _links), f"filled  {link_name}"),
                unit="short",
            )
        )
    )


def _change_lag(title: str, description: str, *, quantile: float) -> timeseries.Panel:
    buckets = f"rate(meridian_link_change_lag_seconds_bucket{_tables}[$__rate_interval])"
    return graph(
        title,
        description,
        Query(
            f"histogram_quantile({quantile}, sum by (source, target, table, le) ({buckets}))",
            link_table_name,
        ),
        unit="s",
        limits=Limits(yellow=0.5, red=2),
        width=8,
    )


def _mean(metric: str, *, by: str, selector: str) -> str:
    total, count = (f"sum by ({by}) (rate({metric}_{part}{selector}[$__rate_interval]))" for part in ("sum", "count"))
    return f"({total} / {count})"


def _within(metric: str, selector: str) -> str:
    return f"sum by (source, target) (increase({metric}{selector}[5m]))"
