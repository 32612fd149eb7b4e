"""What still has to reach somebody, how old it is, and how long there is time for that."""

from grafana_foundation_sdk.builders.dashboard import Row

from deploy.dashboards.board import (
    Board,
    Limits,
    Query,
    board,
    graph,
    link_name,
    link_table_name,
    sources,
    tables,
    targets,
)

_tables = '{source=~"$source", target=~"$target", table=~"$table"}'
_published = '{source=~"$source", table=~"$table"}'


def backlog() -> Board:
    return (
        board(
            "meridian-backlog",
            "Meridian: backlog and headroom",
            "What targets still need, as their sources know it: it grows on these panels also while a target, its "
            "replicator or the way there is gone.",
        )
        .with_variable(sources())
        .with_variable(targets())
        .with_variable(tables())
        .with_row(Row("What do targets still need?"))
        .with_panel(
            graph(
                "Changes not yet applied",
                "Committed at the source and not acknowledged by the target. Acknowledgements come once a second, so "
                "a second's writes are always among them. A steady climb: the link is cut, or the target can't keep "
                "up.",
                Query(f"sum by (source, target, table) (meridian_feed_unapplied_changes{_tables})", link_table_name),
                unit="short",
            )
        )
        .with_panel(
            graph(
                "Age of the oldest of them",
                "How long the oldest change that a target still needs has been waiting, within some seconds. The same "
                "as the frontier lag, seen from the other side.",
                Query(
                    f"max by (source, target, table) (meridian_feed_oldest_unapplied_seconds{_tables})", link_table_name
                ),
                unit="s",
                limits=Limits(yellow=60, red=3600),
            )
        )
        .with_panel(
            graph(
                "Backlog that replicators know of",
                "What has been announced to a target's replicator and is not applied. Small beside the panel to the "
                "left while a link is cut; large here means that applying is the slow part.",
                Query(f"sum by (source, target, table) (meridian_link_backlog_changes{_tables})", link_table_name),
                unit="short",
            )
        )
        .with_panel(
            graph(
                "Pace of catching up",
                "Changes applied, superseded or repeated, a second, by link. While a backlog shrinks this is how fast.",
                Query(
                    f"sum by (source, target) (rate(meridian_link_changes_total{_tables}[$__rate_interval]))",
                    link_name,
                ),
                unit="cps",
            )
        )
        .with_row(Row("How long is there time?"))
        .with_panel(
            graph(
                "Headroom",
                "Until the oldest change that a target still needs falls out of the topic's retention; then it comes "
                "from the source's change log, more slowly. ∞ on the embedded feed, which is that log: it keeps what "
                "is needed, and the disk is the limit.",
                Query(f"min by (source, target) (meridian_feed_headroom_seconds{_tables})", link_name),
                unit="s",
                limits=Limits(yellow=86400, red=21600),
            )
        )
        .with_panel(
            graph(
                "Changes in the log, by table",
                "Change logs keep a day at least, and longer what some replica has not applied. Growth beyond the "
                "daily writes is a replica that is away, at the cost of the source's disk.",
                Query(
                    'sum by (region, table) (meridian_change_log_rows{region=~"$source", table=~"$table"})',
                    "{{region}}  {{table}}",
                ),
                unit="short",
            )
        )
        .with_row(Row("What waits for Kafka?"))
        .with_panel(
            graph(
                "Changes not yet published",
                "Committed, and not taken by the region's own Kafka; within a second's writes when all is well, 0 on "
                "the embedded feed. A climb: the broker is down, full or slow.",
                Query(
                    f"sum by (source, table) (meridian_feed_unpublished_changes{_published})", "{{source}}  {{table}}"
                ),
                unit="short",
            )
        )
        .with_panel(
            graph(
                "Heartbeats that the feed takes",
                "One a second from every region. None: its feed is silent, and every target counts its frontier lag "
                "up.",
                Query('rate(meridian_feed_heartbeats_total{source=~"$source"}[$__rate_interval])', "{{source}}"),
                unit="cps",
            )
        )
        .with_row(Row("Copies"))
        .with_panel(
            graph(
                "Lanes copied again",
                "Partitions whose position neither the feed nor the change log could continue, in an hour. Each is a "
                "copy from a complete region.",
                Query(
                    f"sum by (source, target, table) (increase(meridian_link_resyncs_total{_tables}[1h]))",
                    link_table_name,
                ),
                unit="short",
            )
        )
        .with_panel(
            graph(
                "Links in each state",
                "Links and tables by state. COPYING is a new replica or one that is made again; it ends by itself.",
                Query(
                    f"count by (state) (max by (source, target, table, state) (meridian_link_state{_tables}))",
                    "{{state}}",
                ),
                unit="short",
            )
        )
    )
