"""The committed dashboards: what the code makes of them, and laid out so that a tired person can read them."""

from itertools import combinations
from typing import Any

import pytest

from deploy.dashboards.files import dashboard_files, folder
from tests.dashboards.panels import Panel, columns, dashboards, panels

all_panels = [pytest.param(panel, id=str(panel)) for panel in panels()]
all_dashboards = [pytest.param(document, id=name) for name, document in dashboards().items()]


def test_the_committed_json_is_what_the_code_makes() -> None:
    """`python -m deploy.dashboards` writes it anew."""
    assert {path.name: path.read_text() for path in folder.iterdir()} == dict(dashboard_files())


@pytest.mark.parametrize("panel", all_panels)
def test_a_panel_says_what_it_shows_in_which_unit(panel: Panel) -> None:
    document = panel.document
    assert len(document["description"]) > 30
    assert document["fieldConfig"]["defaults"]["unit"]
    assert document["targets"]
    assert {document["datasource"]["uid"], *(target["datasource"]["uid"] for target in document["targets"])} == {
        "meridian-prometheus"
    }


@pytest.mark.parametrize("panel", all_panels)
def test_lines_of_one_panel_can_be_told_apart(panel: Panel) -> None:
    if panel.document["type"] == "timeseries":
        assert all(target["legendFormat"] not in ("", "__auto") for target in panel.document["targets"])


@pytest.mark.parametrize("document", all_dashboards)
def test_panels_fill_the_width_and_never_overlap(document: dict[str, Any]) -> None:
    places = [panel["gridPos"] for panel in document["panels"]]
    for place in places:
        assert place["x"] + place["w"] <= columns
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above, f"{one} and {other}"
    for y in {place["y"] for place in places}:
        line = [place for place in places if place["y"] == y]
        assert sum(place["w"] for place in line) == columns, f"the line at {y} leaves a gap"
        assert len({place["h"] for place in line}) == 1, f"the line at {y} is ragged"


@pytest.mark.parametrize("document", all_dashboards)
def test_every_dashboard_leads_to_the_others(document: dict[str, Any]) -> None:
    uids = {each["uid"] for each in dashboards().values()}
    (menu,) = document["links"]
    assert menu["tags"] == document["tags"] == ["meridian"]
    for panel in document["panels"]:
        for link in panel.get("links") or ():
            assert link["url"].removeprefix("/d/").partition("?")[0] in uids


def test_the_overview_reads_from_top_to_bottom() -> None:
    rows = [panel["title"] for panel in dashboards()["overview"]["panels"] if panel["type"] == "row"]
    assert rows == [
        "Is everybody there?",
        "Does every region get the others' changes?",
        "Do requests succeed?",
        "Is anything about to break?",
        "What to look at next",
    ]
