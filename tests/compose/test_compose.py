"""`docker compose up` as its users find it: healthy soon, closed to strangers, and as hard to break as the lab."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import httpx
import pytest

from services.lab.links import Link
from tests.compose.stack import ComposedLab, compose, containers, docker, root, service_of, up
from tests.faults import lags
from tests.faults.judgement import assert_recovers
from tests.faults.lab import eventually, regions
from tests.faults.oracle import Oracle

pytestmark = pytest.mark.timeout(300)

us, eu, ap = regions
start_s_max = 180.0
memory_bytes_max = 6 * 1024**3
ours = ("secrets", "region-", "replicator-")


def test_it_gets_healthy_in_time(started_s: float) -> None:
    """`up --wait` ended with 0: a one-shot service among the others must not spoil that."""
    assert started_s < start_s_max
    states = {service_of(each): each["State"] for each in containers()}
    assert states.pop("secrets")["ExitCode"] == 0
    assert {service: state["Health"]["Status"] for service, state in states.items()} == dict.fromkeys(states, "healthy")


def test_no_container_runs_as_root(lab: ComposedLab) -> None:
    for each in containers():
        if each["State"]["Running"]:
            lines = docker("top", each["Id"], "-eo", "uid,pid").splitlines()[1:]
            assert lines, service_of(each)
            assert "0" not in [line.split()[0] for line in lines], service_of(each)


def test_containers_may_do_little(lab: ComposedLab) -> None:
    for each in containers():
        assert each["HostConfig"]["CapDrop"] == ["ALL"], service_of(each)
        assert "no-new-privileges:true" in each["HostConfig"]["SecurityOpt"], service_of(each)
        assert each["HostConfig"]["ReadonlyRootfs"] is service_of(each).startswith(ours), service_of(each)


def test_no_volume_is_without_a_name(lab: ComposedLab) -> None:
    """A nameless one is made anew at every `up`: what it holds is lost, and it is left behind."""
    named = {volume["name"] for volume in json.loads(compose("config", "--format", "json"))["volumes"].values()}
    mounts = [mount for each in containers() for mount in each["Mounts"] if mount["Type"] == "volume"]
    assert {mount["Name"] for mount in mounts} == named


def test_no_port_is_open_beyond_loopback(lab: ComposedLab) -> None:
    published = [
        binding["HostIp"]
        for each in containers()
        for bindings in each["NetworkSettings"]["Ports"].values()
        for binding in bindings or ()
    ]
    assert len(published) == 8
    assert set(published) == {"127.0.0.1"}


def test_the_memory_limits_fit_into_six_gigabytes(lab: ComposedLab) -> None:
    limits = [each["HostConfig"]["Memory"] for each in containers()]
    assert all(limits)
    assert sum(limits) <= memory_bytes_max


def test_lean_leaves_prometheus_and_grafana_out(environment: pytest.MonkeyPatch) -> None:
    services = set(compose("config", "--services").split())
    lean = set(compose("--profile", "lean", "config", "--services").split())
    assert services - lean == {"prometheus", "grafana"}


def test_applications_find_dynamodb(lab: ComposedLab) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/compat",
        "--url",
        lab.endpoint(us),
    ]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_what_is_put_by_rest_in_one_region_is_read_in_another(lab: ComposedLab, table: str) -> None:
    path = f"/v1/tables/{table}/items/{us}"
    assert httpx.put(lab.endpoint(us) + path, json={"total": 12.5}).is_success
    assert asyncio.run(eventually(lambda: _holds(lab.endpoint(ap) + path, {"total": 12.5}), patience_s=10))


def test_prometheus_reaches_every_service_and_grafana_has_the_dashboards(lab: ComposedLab) -> None:
    async def all_are_up() -> bool:
        targets = _asked("PROMETHEUS", "/api/v1/targets")["data"]["activeTargets"]
        jobs = [each["labels"]["job"] for each in targets if each["health"] == "up"]
        return sorted(jobs) == ["prometheus", *["region"] * 3, *["replicator"] * 3]

    assert asyncio.run(eventually(all_are_up, patience_s=60))
    assert _asked("GRAFANA", "/api/health")["database"] == "ok"
    assert _asked("GRAFANA", "/api/search")


async def test_a_dead_broker_stops_no_writer_and_loses_nothing(lab: ComposedLab, table: str) -> None:
    """Lag rises while changes wait in the change log, and falls once there is somewhere to put them."""
    await _assert_survives_without_broker(
        lab, table, stop=lambda: lab.run_well("kill", f"kafka:{us}"), start=lambda: lab.run_well("start", f"kafka:{us}")
    )


async def test_a_broker_that_answers_late_stops_no_writer_and_loses_nothing(lab: ComposedLab, table: str) -> None:
    """Later than anybody waits: connections stay, and what was sent before is taken in the end."""

    def signal(name: str) -> str:
        return compose("exec", "-T", f"kafka-{us}", "sh", "-c", f"kill -{name} -1")

    await _assert_survives_without_broker(lab, table, stop=lambda: signal("STOP"), start=lambda: signal("CONT"))


async def test_a_region_that_is_cut_off_goes_on_and_catches_up(lab: ComposedLab, table: str) -> None:
    oracle = Oracle(lab, table, regions=regions)
    async with oracle.load():
        await oracle.more(30)
        assert f"{us} -> {eu} is cut" in await asyncio.to_thread(lab.run_well, "cut", us)
        assert await lags.rise(lab, table, [Link(us, eu), Link(eu, us), Link(ap, us)])
        assert any(cut["source"] == us for cut in (await asyncio.to_thread(lab.status))["cuts"])
        await oracle.more(100)
        assert f"{us} -> {eu} is healed" in await asyncio.to_thread(lab.run_well, "heal")
        await oracle.more(30)
    assert [tally.failed for tally in oracle.tallies.values()] == [0, 0, 0]
    await _assert_recovers(lab, oracle, table)


async def test_a_killed_region_comes_back_with_all_that_it_acknowledged(lab: ComposedLab, table: str) -> None:
    oracle = Oracle(lab, table, regions=regions)
    async with oracle.load():
        await oracle.more(30)
        await asyncio.to_thread(lab.run_well, "kill", eu)
        await oracle.more(30, regions=(us, ap))
        await asyncio.to_thread(lab.run_well, "start", eu)
        await oracle.more(30)
    await _assert_recovers(lab, oracle, table)


async def test_two_workers_share_a_regions_links(lab: ComposedLab, table: str) -> None:
    await asyncio.to_thread(compose, "up", "--wait", "--no-recreate", "--scale", f"replicator-{us}=2")
    try:
        metrics = await asyncio.to_thread(httpx.get, f"{lab.endpoint(us)}/metrics")
        assert "meridian_replicator_workers 2.0" in metrics.text
        oracle = Oracle(lab, table, regions=regions)
        async with oracle.load():
            await oracle.more(50)
        await _assert_recovers(lab, oracle, table)
    finally:
        await asyncio.to_thread(compose, "up", "--wait", "--no-recreate", "--scale", f"replicator-{us}=1")


async def test_everything_stops_by_itself_and_the_data_outlives_it(lab: ComposedLab, table: str) -> None:
    """A service that had to be killed after its ten seconds would end with 137."""
    oracle = Oracle(lab, table, regions=regions)
    async with oracle.load():
        await oracle.more(50)
    compose("stop")
    codes = {service_of(each): each["State"]["ExitCode"] for each in containers()}
    assert {service: code for service, code in codes.items() if service.startswith(ours) and code} == {}
    compose("down")
    up()
    await _assert_recovers(lab, oracle, table)


async def test_topics_of_deleted_tables_are_removed(lab: ComposedLab, table: str) -> None:
    generation = lab.generation(table)

    listing = ["/opt/kafka/bin/kafka-topics.sh", "--bootstrap-server", "kafka:9092", "--list"]

    async def in_kafka() -> bool:
        return generation in await asyncio.to_thread(compose, "exec", "-T", f"kafka-{us}", *listing)

    async def no_longer() -> bool:
        return not await in_kafka()

    assert await in_kafka()
    for region in regions:
        client = lab.client(region)
        await client.call("DeleteTable", {"TableName": table})
        await client.close()
    assert await eventually(no_longer, patience_s=60)


async def _assert_survives_without_broker(
    lab: ComposedLab, table: str, *, stop: Callable[[], str], start: Callable[[], str]
) -> None:
    oracle = Oracle(lab, table, regions=regions)
    async with oracle.load():
        await oracle.more(30)
        await asyncio.to_thread(stop)
        assert await lags.rise(lab, table, [Link(us, eu), Link(us, ap)])
        await oracle.more(100)
        await asyncio.to_thread(start)
        await oracle.more(30)
    assert [tally.failed for tally in oracle.tallies.values()] == [0, 0, 0]
    await _assert_recovers(lab, oracle, table)


async def _assert_recovers(lab: ComposedLab, oracle: Oracle, table: str) -> None:
    assert await asyncio.to_thread(lab.differences, table, patience_s=10) == ""
    await asyncio.to_thread(lab.fetch_data)
    await assert_recovers(lab, oracle, table, regions=regions)


async def _holds(url: str, content: dict[str, Any]) -> bool:
    answer = await asyncio.to_thread(httpx.get, url)
    return answer.is_success and content.items() <= answer.json().items()


def _asked(program: str, path: str) -> Any:
    address = compose("port", program.lower(), {"PROMETHEUS": "9090", "GRAFANA": "3000"}[program]).strip()
    with urlopen(f"http://{address}{path}") as answer:
        return json.loads(answer.read())
