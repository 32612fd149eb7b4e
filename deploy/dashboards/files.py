"""The JSON files of all dashboards, as they are committed and mounted into Grafana."""

import json
from collections.abc import Mapping
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.dashboards.api import api
from deploy.dashboards.backlog import backlog
from deploy.dashboards.board import Board
from deploy.dashboards.conflicts import conflicts
from deploy.dashboards.lag import lag
from deploy.dashboards.overview import overview
from deploy.dashboards.storage import storage

folder = Path(__file__).parents[1] / "grafana" / "dashboards"


def write_dashboards() -> None:
    for name, text in dashboard_files().items():
        (folder / name).write_text(text)


def dashboard_files() -> Mapping[str, str]:
    """File name to content."""
    return {f"{name}.json": _encoded(board) for name, board in _boards().items()}


def _boards() -> Mapping[str, Board]:
    return {
        "overview": overview(),
        "lag": lag(),
        "backlog": backlog(),
        "conflicts": conflicts(),
        "api": api(),
        "storage": storage(),
    }


def _encoded(board: Board) -> str:
    dashboard = board.build()
    for number, panel in enumerate(dashboard.panels or (), start=1):
        panel.id_val = number
    return json.dumps(dashboard, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
