"""The panels of the committed dashboards, read as Grafana reads them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from deploy.dashboards.files import folder

columns = 24


class Panel(NamedTuple):
    dashboard: str
    document: dict[str, Any]

    @property
    def title(self) -> str:
        return str(self.document["title"])

    @property
    def exprs(self) -> list[str]:
        return [target["expr"] for target in self.document["targets"]]

    @property
    def is_of_now(self) -> bool:
        """Whether it shows a moment, and not a course of time."""
        return all(target.get("instant") for target in self.document["targets"])

    def __str__(self) -> str:
        return f"{self.dashboard}: {self.title}"


def dashboards() -> dict[str, dict[str, Any]]:
    """By the name of the file."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(Path(folder).glob("*.json"))}


def panels() -> Iterator[Panel]:
    for name, document in dashboards().items():
        for panel in document["panels"]:
            if panel["type"] != "row":
                yield Panel(name, panel)
