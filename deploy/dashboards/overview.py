"""Is it fine? From top to bottom: who is up, is replication in step, do requests succeed, what is about to break."""

from grafana_foundation_sdk.builders.dashboard import Row

from deploy.dashboards.board import Board, Limits, Query, board, graph, link_name, number, rows


def overview() -> Board:
    return (
        board(
            "meridian-overview",
            "Meridian: overview",
            "Is it fine? Green from top to bottom means yes; the first line that is not tells where to look.",
        )
        .with_row(Row("Is everybody there?"))
        .with_panel(
            number(
                "Regions",
                "Whether each region answers Prometheus. A region that is down takes no writes; the others go on.",
                Query('min by (region) (up{service="region"})', "{{region}}"),
                unit="none",
                limits=Limits(yellow=1, red=0.5),
                words={"0": "DOWN", "1": "up"},
                width=9,
            )
        )
        .with_panel(
            number(
                "Replicators",
                "Replicators that each region has heard of in the last three seconds. With none, nothing arrives "
                "there.",
                Query("meridian_replicator_workers", "{{region}}"),
                unit="none",
                limits=Limits(yellow=1, red=0.5),
                words={"0": "NONE"},
                width=9,
                link="meridian-lag",
            )
        )
        .with_panel(
            number(
                "Alerts",
                "Alerts that fire. The table at the bottom names them, with those that are about to.",
                Query('count(ALERTS{alertstate="firing"}) or vector(0)'),
                unit="none",
                limits=Limits(yellow=1, red=2),
                width=6,
            )
        )
        .with_row(Row("Does every region get the others' changes?"))
        .with_panel(
            number(
                "Worst frontier lag",
                "How far the link that is furthest behind is behind. 0 when all is applied; rises as long as a link is "
                "stuck or cut. The time since which a region may miss something.",
                Query("max(link:meridian_link_frontier_lag_seconds:max)"),
                unit="s",
                limits=Limits(yellow=5, red=30),
                height=8,
                link="meridian-lag",
            )
        )
        .with_panel(
            number(
                "Links not in step",
                "Links of which some table is in another state than FOLLOWING: UNREACHABLE, STUCK, CATCHING_UP, "
                "COPYING or NEEDS_RESYNC.",
                Query('count(max by (source, target) (meridian_link_state{state!="FOLLOWING"})) or vector(0)'),
                unit="none",
                limits=Limits(yellow=1, red=2),
                height=8,
                link="meridian-lag",
            )
        )
        .with_panel(
            graph(
                "Frontier lag by link",
                "The age of the time up to which a target has everything of a source. A line that climbs steadily is "
                "a cut or a stuck link; one that falls is catching up.",
                Query("link:meridian_link_frontier_lag_seconds:max", link_name),
                unit="s",
                limits=Limits(yellow=5, red=30),
                link="meridian-lag",
            )
        )
        .with_row(Row("Do requests succeed?"))
        .with_panel(
            number(
                "Failed requests",
                "Share of requests that the region itself failed (InternalServerError, ServiceUnavailable), last "
                "minute. Refusals such as a failed condition are not failures.",
                Query(
                    "region:meridian_requests_failed:rate1m / (region:meridian_requests:rate1m > 0)"
                    " or region:meridian_requests_failed:rate1m",
                    "{{region}}",
                ),
                unit="percentunit",
                limits=Limits(yellow=0.0001, red=0.01),
                decimals=2,
                width=8,
                height=8,
                link="meridian-api",
            )
        )
        .with_panel(
            graph(
                "Requests",
                "Requests answered, by region. A fall to nothing is clients that are gone, or a region that is.",
                Query("region:meridian_requests:rate1m", "{{region}}"),
                unit="reqps",
                width=8,
                link="meridian-api",
            )
        )
        .with_panel(
            graph(
                "Write latency, p99",
                "One write in a hundred takes longer than this, from the whole request to its reply, fsync included.",
                Query(
                    "histogram_quantile(0.99, sum by (region, le) (rate(meridian_request_seconds_bucket"
                    '{operation=~"PutItem|UpdateItem|DeleteItem|BatchWriteItem"}[$__rate_interval])))',
                    "{{region}}",
                ),
                unit="s",
                limits=Limits(yellow=0.1, red=0.25),
                width=8,
                link="meridian-api",
            )
        )
        .with_row(Row("Is anything about to break?"))
        .with_panel(
            number(
                "Least headroom",
                "Until Kafka drops a change that some target still needs. ∞ on the embedded feed, where the change "
                "log keeps what is needed and the disk is the limit.",
                Query("min(link:meridian_feed_headroom_seconds:min)"),
                unit="s",
                limits=Limits(yellow=86400, red=21600),
                link="meridian-backlog",
            )
        )
        .with_panel(
            number(
                "Free disk",
                "Free share of the file system below each region's data. Writes fail when it is full.",
                Query("region:meridian_disk_free:ratio", "{{region}}"),
                unit="percentunit",
                limits=Limits(yellow=0.25, red=0.1),
                decimals=0,
                width=10,
                link="meridian-storage",
            )
        )
        .with_panel(
            number(
                "Waiting for Kafka",
                "Changes that a region has committed and its own Kafka has not taken; 0 on the embedded feed.",
                Query("sum(region:meridian_feed_unpublished_changes:sum)"),
                unit="short",
                limits=Limits(yellow=1000, red=100_000),
                width=8,
                link="meridian-backlog",
            )
        )
        .with_row(Row("What to look at next"))
        .with_panel(
            rows(
                "Alerts that fire or are about to",
                "Pending ones become firing if they last. Each alert's annotations in Prometheus (Alerts) say the "
                "likely cause and the next step.",
                Query("sort_desc(max by (alertname, alertstate, severity, region, source, target, table) (ALERTS))"),
                columns=("alertname", "alertstate", "severity", "region", "source", "target", "table"),
                width=14,
                when_empty="no alert",
            )
        )
        .with_panel(
            rows(
                "Which links are not in step",
                "Which link, table and state. UNREACHABLE: no heartbeat; STUCK: changes wait and none is applied; "
                "COPYING: a new replica.",
                Query('max by (source, target, table, state) (meridian_link_state{state!="FOLLOWING"})'),
                columns=("source", "target", "table", "state"),
                width=10,
                when_empty="all follow",
            )
        )
    )
