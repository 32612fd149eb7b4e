"""Prometheus' own tool judges configuration and rules; each alert is tested for when it fires and for when not."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.dashboards.panels import dashboards
from tests.dashboards.prometheus import configuration, rules

alert_tests = Path(__file__).parent / "alerts"
rule_files = sorted(rules.glob("*.yaml"))
text_of_rules = "".join(path.read_text() for path in rule_files)
alerts = re.findall(r"^ +- alert: (\w+)((?:\n {8}.*|\n)*)", text_of_rules, re.MULTILINE)


def test_the_configuration_and_its_rules_are_valid() -> None:
    _promtool("check", "config", str(configuration))


def test_recorded_series_are_named_by_level_metric_and_operation() -> None:
    names = re.findall(r"- record: (\S+)", (rules / "recording.yaml").read_text())
    assert names
    for name in names:
        assert re.fullmatch(r"(link|link_table|region):meridian_[a-z_]+:[a-z0-9]+", name), name


@pytest.mark.parametrize("alert", [name for name, _ in alerts])
def test_the_alert_fires_when_it_should_and_is_silent_when_it_should_not(alert: str) -> None:
    path = alert_tests / f"{alert}.yaml"
    text = path.read_text()
    assert "exp_samples: []" in text
    assert "value: 1" in text
    _promtool("test", "rules", str(path))


def test_there_is_no_test_of_an_alert_that_is_gone() -> None:
    assert {path.stem for path in alert_tests.glob("*.yaml")} == {name for name, _ in alerts}


@pytest.mark.parametrize(("alert", "text"), alerts, ids=[name for name, _ in alerts])
def test_the_alert_says_what_why_and_what_next(alert: str, text: str) -> None:
    """Whoever is woken by it knows nothing else yet."""
    for annotation in ("summary", "cause", "next_step", "dashboard"):
        assert re.search(rf"^ {{10}}{annotation}: \S", text, re.MULTILINE), f"{alert} has no {annotation}"
    assert re.search(r"severity: (critical|warning)}", text)
    linked = re.search(r"dashboard: (\S+)", text)
    assert linked is not None
    assert linked[1] in {document["uid"] for document in dashboards().values()}


def _promtool(*words: str) -> None:
    done = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
