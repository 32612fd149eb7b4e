"""A lab under load, with conflicts, refusals, transactions, expiries and a cut, scraped by a real Prometheus.

Every query finds something.
"""

import asyncio
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from services.lab.client import RefusedError
from services.lab.load import table_name
from tests.dashboards.panels import Panel, panels
from tests.dashboards.prometheus import Prometheus, poll_s, scraping
from tests.dashboards.selectors import selected
from tests.faults.lab import Lab, regions, started_lab

expiring = "expiring"  # a table whose items end with `ends`
shown_s = 60
settles_s = 30.0
load = ("load", "--rate", "20", "--seconds", "300", "--conflicts", "50", "--seed", "7")
us, eu, _ = regions


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with started_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture(scope="module")
def prometheus(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """One that has seen load, conflicts and refusals, and sees load and a cut for as long as it is asked."""
    with scraping(lab.record, tmp_path_factory.mktemp("prometheus")) as prometheus, loaded(lab), transacting(lab):
        conflicts = 'sum(meridian_remote_changes_total{outcome="conflicts"})'
        eventually(lambda: sum(prometheus.numbers_now(conflicts)) > 3, what="conflicts")
        asyncio.run(be_refused(lab))
        eventually(partial(prometheus.numbers_now, "meridian_expired_items_total > 0"), what="expiries")
        lab.run_well("cut", us, eu)
        unreachable = 'count(meridian_link_state{state="UNREACHABLE"})'
        eventually(lambda: sum(prometheus.numbers_now(unreachable)) > 0, what="a link that is unreachable")
        eventually(partial(prometheus.numbers_now, 'ALERTS{alertname="LinkUnreachable"}'), what="an alert")
        yield prometheus


def test_everything_is_scraped(prometheus: Prometheus) -> None:
    targets = prometheus.targets()
    assert len(targets) == 7
    assert set(targets.values()) == {"up"}


def test_every_series_of_a_link_names_source_and_target(prometheus: Prometheus) -> None:
    """From whichever side it comes: otherwise panels could not put both beside each other."""
    for metric in ("meridian_link_state", "meridian_feed_unapplied_changes", "meridian_remote_changes_total"):
        assert {"source", "target", "region", "service"} <= prometheus.label_names(metric)


@pytest.mark.parametrize("panel", [pytest.param(panel, id=str(panel)) for panel in panels()])
def test_no_panel_is_empty(prometheus: Prometheus, panel: Panel) -> None:
    for expr in map(as_asked, panel.exprs):
        ask = prometheus.numbers_now if panel.is_of_now else partial(prometheus.numbers_of_late, seconds=shown_s)
        eventually(partial(ask, expr), what=expr)


def test_every_rule_is_evaluated(prometheus: Prometheus) -> None:
    rules = prometheus.rules()
    assert len(rules) > 20
    for rule in rules:
        assert rule["health"] == "ok", f"{rule['name']}: {rule.get('lastError')}"
        if rule["type"] == "recording":
            eventually(partial(prometheus.numbers_now, rule["name"]), what=rule["name"])


def test_every_rule_and_panel_selects_what_there_is(prometheus: Prometheus) -> None:
    """An alert that names a metric or label that nobody has would be silent for ever."""
    exprs = [rule["query"] for rule in prometheus.rules()]
    exprs += [as_asked(expr) for panel in panels() for expr in panel.exprs]
    found = {each for expr in exprs for each in selected(expr)}
    assert len({each.metric for each in found}) > 40
    for metric, labels in found:
        there = prometheus.label_names(metric)
        assert there, f"there is no {metric}"
        assert labels <= there, f"{metric} has no label {', '.join(labels - there)}"


@contextmanager
def loaded(lab: Lab) -> Iterator[None]:
    writing = subprocess.Popen(lab.command(*load), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        writing.terminate()
        writing.wait()


@contextmanager
def transacting(lab: Lab) -> Iterator[None]:
    """Transactions that put items whose time is over, and one that is cancelled beside each."""
    over = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(transact(lab, over)))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


async def transact(lab: Lab, over: threading.Event) -> None:
    client = lab.client(us)
    await client.call(
        "CreateTable",
        {
            "TableName": expiring,
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
        },
    )
    wanted = {"Enabled": True, "AttributeName": "ends"}
    await client.call("UpdateTimeToLive", {"TableName": expiring, "TimeToLiveSpecification": wanted})
    number = 0
    while not await asyncio.to_thread(over.wait, poll_s):
        number += 1
        item = {"id": {"S": f"{number}"}, "ends": {"N": f"{int(time.time())}"}}
        await client.call("TransactWriteItems", {"TransactItems": [{"Put": {"TableName": expiring, "Item": item}}]})
        absent = {
            "TableName": expiring,
            "Key": {"id": {"S": "absent"}},
            "ConditionExpression": "attribute_exists(id)",
        }
        with pytest.raises(RefusedError):
            await client.call("TransactWriteItems", {"TransactItems": [{"ConditionCheck": absent}]})
    await client.close()


async def be_refused(lab: Lab) -> None:
    """A write whose condition does not hold."""
    client = lab.client(us)
    item = {"id": {"S": "refused"}}
    refused = {"TableName": table_name, "Item": item, "ConditionExpression": "attribute_exists(id)"}
    with pytest.raises(RefusedError):
        await client.call("PutItem", refused)
    await client.close()


def eventually(found: Callable[[], object], *, what: str) -> None:
    deadline = time.monotonic() + settles_s
    while not found():
        assert time.monotonic() < deadline, what
        time.sleep(poll_s)


def as_asked(expr: str) -> str:
    """As Grafana asks when all values of every variable are chosen."""
    expr = expr.replace("$__rate_interval", "20s").replace("$__range", f"{shown_s}s")
    return re.sub(r'"\$\w+"', '".*"', expr)
