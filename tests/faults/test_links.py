"""Cuts of a running lab: each stops what it should and nothing else, and what waited arrives once it is healed."""

import asyncio
import subprocess
from uuid import uuid4

import pytest

from services.lab.client import TableClient
from services.lab.tables import ensure_replicated_table
from tests.faults.lab import Lab, eventually, regions

heal_patience_s = 10.0
Clients = dict[str, TableClient]


@pytest.fixture
async def table(clients: Clients) -> str:
    """A table of this test's own, with a replica in every region."""
    name = f"t-{uuid4().hex}"
    await ensure_replicated_table(list(clients.values()), name)
    return name


async def put(client: TableClient, table: str, key: str) -> None:
    await client.call("PutItem", {"TableName": table, "Item": {"id": {"S": key}}})


async def has(client: TableClient, table: str, key: str) -> bool:
    return "Item" in await client.call("GetItem", {"TableName": table, "Key": {"id": {"S": key}}})


async def arrives(client: TableClient, table: str, key: str, *, patience_s: float = heal_patience_s) -> bool:
    return await eventually(lambda: has(client, table, key), patience_s=patience_s)


async def test_an_item_written_anywhere_arrives_everywhere(clients: Clients, table: str) -> None:
    for region, client in clients.items():
        await put(client, table, region)
    for client in clients.values():
        for region in regions:
            assert await arrives(client, table, region)


async def test_a_one_way_cut_stops_one_direction_only(running_lab: Lab, clients: Clients, table: str) -> None:
    us, eu, ap = (clients[region] for region in regions)
    running_lab.run_well("cut", "us-east-1", "eu-west-1", "--one-way")
    await put(us, table, "from-us")
    await put(eu, table, "from-eu")
    assert await arrives(ap, table, "from-us")
    assert await arrives(us, table, "from-eu")
    assert not await has(eu, table, "from-us")
    different = running_lab.run("compare", "--table", table)
    assert different.returncode == 1
    assert "from-us" in different.stdout
    assert "eu-west-1 absent" in different.stdout
    running_lab.run_well("heal")
    assert await arrives(eu, table, "from-us")
    assert running_lab.differences(table, patience_s=heal_patience_s) == ""


async def test_a_cut_region_keeps_writing_and_catches_up(running_lab: Lab, clients: Clients, table: str) -> None:
    for other in regions[1:]:
        running_lab.run_well("cut", regions[0], other)
    for number in range(50):
        for region, client in clients.items():
            await put(client, table, f"{region}-{number}")
    assert running_lab.run("compare", "--table", table).returncode == 1
    running_lab.run_well("heal")
    assert running_lab.differences(table, patience_s=heal_patience_s) == ""
    assert all([await has(clients[regions[0]], table, f"{region}-49") for region in regions])


async def test_a_cut_with_a_term_ends_by_itself(running_lab: Lab, clients: Clients, table: str) -> None:
    running_lab.run_well("cut", "us-east-1", "eu-west-1", "--for", "0.5")
    await put(clients["us-east-1"], table, "late")
    assert await arrives(clients["eu-west-1"], table, "late")
    assert running_lab.status()["cuts"] == []


async def test_load_reports_writes_and_lag_of_every_link(running_lab: Lab) -> None:
    text = await asyncio.to_thread(running_lab.run_well, "load", "--seconds", "2", "--rate", "20", "--seed", "7")
    lines = text.splitlines()
    assert all(any(line.startswith(region) and " 40 " in line for line in lines) for region in regions)
    assert sum(" -> " in line for line in lines) == 6
    assert running_lab.differences("lab_load", patience_s=heal_patience_s) == ""


def test_a_command_that_nobody_waits_for_ends_with_its_reader(running_lab: Lab) -> None:
    """`meridian lab status | head -1` must not end in a stack trace."""
    with subprocess.Popen(
        running_lab.command("status", "--json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as status:
        assert status.stdout is not None
        assert status.stderr is not None
        status.stdout.close()
        assert "Traceback" not in status.stderr.read()
