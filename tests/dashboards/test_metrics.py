"""The table of metrics in deploy/DESIGN.md is what the services have, and panels and rules ask for nothing else."""

import re

from tests.dashboards.panels import panels
from tests.dashboards.prometheus import root, rules
from tests.dashboards.selectors import selected

design = (root / "deploy" / "DESIGN.md").read_text()
documented = set(re.findall(r"`(meridian_\w+)`", design[design.index("## Metrics") : design.index("## Rejected")]))
text_of_rules = "".join(path.read_text() for path in rules.glob("*.yaml"))


def test_every_metric_of_the_services_is_documented_and_none_besides() -> None:
    sources = "".join(path.read_text() for path in (root / "services").rglob("*.py"))
    assert set(re.findall(r'"(meridian_\w+)"', sources)) == {name.removesuffix("_total") for name in documented}


def test_panels_and_rules_ask_for_documented_metrics() -> None:
    recorded = set(re.findall(r"- record: (\S+)", text_of_rules))
    known = documented | recorded | {"up", "ALERTS"}
    known |= {f"{name}_{part}" for name in documented for part in ("bucket", "sum", "count")}
    exprs = [expr for panel in panels() for expr in panel.exprs]
    exprs += re.findall(r"expr: ((?:>-\n)?.*(?:\n {10}.*)*)", text_of_rules)
    asked = {each.metric for expr in exprs for each in selected(expr) if not each.metric.startswith("process_")}
    assert len(asked) > 30
    assert asked <= known
