"""Concurrent writes, what became of arriving changes, and what could not be applied at all."""

from grafana_foundation_sdk.builders.dashboard import Row

from deploy.dashboards.board import (
    Board,
    Limits,
    Query,
    board,
    graph,
    link_name,
    link_table_name,
    number,
    sources,
    tables,
    targets,
)

_links = 'source=~"$source", target=~"$target"'
_tables = f'{{{_links}, table=~"$table"}}'


def conflicts() -> Board:
    return (
        board(
            "meridian-conflicts",
            "Meridian: conflicts",
            "Of two writes of one item, neither of which had seen the other, the later one stays and the loser is "
            "kept in the conflict log. None of this is lost; much of it means that clients write the same items in "
            "several regions.",
        )
        .with_variable(sources())
        .with_variable(targets())
        .with_variable(tables())
        .with_row(Row("In the time shown"))
        .with_panel(
            number(
                "Conflicts",
                "Found in the time shown, by the region that found them.",
                Query(_in_range("conflicts", by="target"), "{{target}}"),
                unit="short",
                decimals=0,
            )
        )
        .with_panel(
            number(
                "Dead letters",
                "Changes that could not be read or applied, or came from hours in the future: put aside with position "
                "and reason. Any is worth a look.",
                Query(_in_range("dead_letters", by="target"), "{{target}}"),
                unit="short",
                limits=Limits(yellow=0.5, red=0.9),
                decimals=0,
            )
        )
        .with_panel(
            number(
                "Dead letters that wait",
                "All that lie in partition files, also those of before a restart. The alert names source and table.",
                Query(f"sum by (target) (meridian_dead_letters{_tables})", "{{target}}"),
                unit="short",
                limits=Limits(yellow=0.5, red=0.9),
                decimals=0,
            )
        )
        .with_panel(
            number(
                "From a clock ahead",
                "Changes whose timestamp was more than half a second ahead of the clock where they arrived, by their "
                "source. They are applied, and win more often than they should.",
                Query(_in_range("drifted", by="source"), "{{source}}"),
                unit="short",
                limits=Limits(yellow=0.5, red=100),
                decimals=0,
            )
        )
        .with_row(Row("Conflicts"))
        .with_panel(
            graph(
                "Conflicts by link and table",
                "A second. A burst after a cut is what both sides wrote meanwhile; a steady rate is clients that "
                "write the same items in several regions.",
                Query(
                    f"sum by (source, target, table) (rate(meridian_link_conflicts_total{_tables}[$__rate_interval]))",
                    link_table_name,
                ),
                unit="cps",
            )
        )
        .with_panel(
            graph(
                "Share of changes in conflict",
                "Of the changes that arrive. A tenth and more is an application that should route an item's writes to "
                "one region.",
                Query(f"{_rate('conflicts')} / {_rate('applied|superseded')}", link_name),
                unit="percentunit",
                limits=Limits(yellow=0.05, red=0.1),
            )
        )
        .with_row(Row("What became of arriving changes"))
        .with_panel(
            graph(
                "Outcomes",
                "A second, all links. applied: replaced what was stored; superseded: what was stored was later; "
                "duplicate: had been there already.",
                Query(
                    f"sum by (outcome) (rate(meridian_link_changes_total{_tables}[$__rate_interval]))",
                    "{{outcome}}",
                ),
                unit="cps",
                is_stacked=True,
            )
        )
        .with_panel(
            graph(
                "Dead letters and clocks, by link",
                "In fifteen minutes. Zero is what it should be.",
                Query(_increase("dead_letters"), f"dead letters  {link_name}"),
                Query(_increase("drifted"), f"from ahead  {link_name}"),
                unit="short",
            )
        )
    )


def _in_range(outcome: str, *, by: str) -> str:
    return f'sum by ({by}) (increase(meridian_remote_changes_total{{{_links}, outcome="{outcome}"}}[$__range]))'


def _rate(outcomes: str) -> str:
    selector = f'{{{_links}, outcome=~"{outcomes}"}}'
    return f"sum by (source, target) (rate(meridian_remote_changes_total{selector}[$__rate_interval]))"


def _increase(outcome: str) -> str:
    return f'sum by (source, target) (increase(meridian_remote_changes_total{{{_links}, outcome="{outcome}"}}[15m]))'
