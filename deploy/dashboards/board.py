"""What all dashboards share: data source, variables, links among each other, and a few kinds of panels.

Every panel says in its description what it means and when to worry. Rows are 24 columns wide.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

Board = dashboard.Dashboard

data_source = models.DataSourceRef(type_val="prometheus", uid="meridian-prometheus")
tag = "meridian"
link_name = "{{source}} → {{target}}"
link_table_name = "{{source}} → {{target}}  {{table}}"

_green, _yellow, _red = "green", "yellow", "red"


class Query(NamedTuple):
    expr: str
    legend: str = ""


class Limits(NamedTuple):
    """Where a value turns yellow and red; red below yellow means that small values are the bad ones."""

    yellow: float
    red: float


def board(uid: str, title: str, description: str) -> Board:
    """An empty dashboard of the family: the last half hour, every ten seconds, with a menu of the others."""
    menu = (
        dashboard.DashboardLink("Dashboards")
        .type(models.DashboardLinkType.DASHBOARDS)
        .tags([tag])
        .as_dropdown(False)
        .include_vars(True)
        .keep_time(True)
    )
    return (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([tag])
        .readonly()
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .time("now-30m", "now")
        .refresh("10s")
        .timezone("browser")
        .link(menu)
    )


def choice(name: str, label: str, *, values_of: str) -> dashboard.QueryVariable:
    """A variable of several values, by default all; `values_of` is a selector whose label `name` they are."""
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(data_source)
        .query({"query": f"label_values({values_of}, {name})", "refId": "values"})
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(models.VariableOption(selected=True, text="All", value="$__all"))
    )


def regions() -> dashboard.QueryVariable:
    return choice("region", "Region", values_of='up{service="region"}')


def sources() -> dashboard.QueryVariable:
    return choice("source", "Source", values_of="meridian_feed_heartbeats_total")


def targets() -> dashboard.QueryVariable:
    return choice("target", "Target", values_of="meridian_feed_unapplied_changes")


def tables() -> dashboard.QueryVariable:
    return choice("table", "Table", values_of="meridian_feed_unapplied_changes")


def number(
    title: str,
    description: str,
    *queries: Query,
    unit: str,
    limits: Limits | None = None,
    width: int = 6,
    height: int = 4,
    decimals: int | None = None,
    words: Mapping[str, str] | None = None,
    link: str | None = None,
) -> stat.Panel:
    """The value of now, on the colour of its limits; `words` replaces single values by text."""
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(data_source)
        .span(width)
        .height(height)
        .unit(unit)
        .thresholds(_thresholds(limits))
        .color_mode(
            common_models.BigValueColorMode.NONE if limits is None else common_models.BigValueColorMode.BACKGROUND
        )
        .graph_mode(common_models.BigValueGraphMode.NONE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .targets([_target(query, index).instant() for index, query in enumerate(queries)])
    )
    if any(query.legend for query in queries):
        panel = panel.text_mode(common_models.BigValueTextMode.VALUE_AND_NAME)
    if decimals is not None:
        panel = panel.decimals(decimals)
    if words is not None:
        options = {value: models.ValueMappingResult(text=text) for value, text in words.items()}
        panel = panel.mappings([models.ValueMap(options=options)])
    if link is not None:
        panel = panel.links([_to(link)])
    return panel


def graph(
    title: str,
    description: str,
    *queries: Query,
    unit: str,
    limits: Limits | None = None,
    width: int = 12,
    height: int = 8,
    is_stacked: bool = False,
    link: str | None = None,
) -> timeseries.Panel:
    """Lines over time, with their last and largest values; limits are drawn as lines."""
    legend = (
        common.VizLegendOptions()
        .display_mode(common_models.LegendDisplayMode.TABLE)
        .placement(common_models.LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs(["lastNotNull", "max"])
    )
    tooltip = (
        common.VizTooltipOptions().mode(common_models.TooltipDisplayMode.MULTI).sort(common_models.SortOrder.DESCENDING)
    )
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(data_source)
        .span(width)
        .height(height)
        .unit(unit)
        .min(0)
        .thresholds(_thresholds(limits))
        .line_width(1)
        .fill_opacity(40 if is_stacked else 5)
        .show_points(common_models.VisibilityMode.NEVER)
        .legend(legend)
        .tooltip(tooltip)
        .targets([_target(query, index).range() for index, query in enumerate(queries)])
    )
    if limits is not None:
        style = common.GraphThresholdsStyleConfig().mode(common_models.GraphThresholdsStyleMode.DASHED)
        panel = panel.thresholds_style(style)
    if is_stacked:
        panel = panel.stacking(common.StackingConfig().mode(common_models.StackingMode.NORMAL).group("A"))
    if link is not None:
        panel = panel.links([_to(link)])
    return panel


def rows(
    title: str,
    description: str,
    query: Query,
    *,
    columns: Sequence[str],
    unit: str = "short",
    width: int = 12,
    height: int = 8,
    when_empty: str = "none",
) -> table.Panel:
    """What is so now, one line each, with these labels (and `Value`, if named) as columns."""
    ordered = models.DataTransformerConfig(
        id_val="organize",
        options={
            "indexByName": {name: index for index, name in enumerate(columns)},
            "excludeByName": {name: True for name in ("Time", "Value", "__name__") if name not in columns},
        },
    )
    return (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(data_source)
        .span(width)
        .height(height)
        .unit(unit)
        .no_value(when_empty)
        .show_header(True)
        .targets([_target(query, 0).instant().format(PromQueryFormat.TABLE)])
        .with_transformation(ordered)
    )


def _target(query: Query, index: int) -> prometheus.Dataquery:
    return (
        prometheus.Dataquery()
        .datasource(data_source)
        .ref_id("ABCDEFGH"[index])
        .expr(query.expr)
        .legend_format(query.legend or "__auto")
    )


def _thresholds(limits: Limits | None) -> dashboard.ThresholdsConfig:
    if limits is None:
        steps = [models.Threshold(value=None, color=_green)]
    elif limits.yellow < limits.red:
        steps = [
            models.Threshold(value=None, color=_green),
            models.Threshold(value=limits.yellow, color=_yellow),
            models.Threshold(value=limits.red, color=_red),
        ]
    else:
        steps = [
            models.Threshold(value=None, color=_red),
            models.Threshold(value=limits.red, color=_yellow),
            models.Threshold(value=limits.yellow, color=_green),
        ]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)


def _to(uid: str) -> dashboard.DashboardLink:
    url = f"/d/{uid}?${{__url_time_range}}"
    return dashboard.DashboardLink("Details").type(models.DashboardLinkType.LINK).url(url)
