"""The judge itself: what is lost has to be found, or all tests that trust it say nothing."""

from services.lab.client import TableClient
from tests.faults.judgement import heal_patience_s
from tests.faults.lab import Lab, regions
from tests.faults.oracle import Oracle

us, eu, ap = regions


async def test_a_lost_write_is_found(running_lab: Lab, clients: dict[str, TableClient], table: str) -> None:
    """Somebody else deletes an item of a lone writer, and a shared key never gets what was said to be there."""
    oracle = Oracle(running_lab, table, regions=regions)
    async with oracle.load():
        await oracle.more(20)
    oracle.claim("hot.0", "nobody.1")
    await clients[eu].call("DeleteItem", {"TableName": table, "Key": {"id": {"S": f"{us}.0.0"}}})
    assert running_lab.differences(table, patience_s=heal_patience_s) == ""
    losses = await oracle.losses(regions)
    assert sorted(loss.split()[0] for loss in losses) == ["nobody.1"] * 3 + [f"{us}.0.0"] * 3


async def test_a_difference_between_regions_is_found(
    running_lab: Lab, clients: dict[str, TableClient], table: str
) -> None:
    oracle = Oracle(running_lab, table, regions=regions)
    async with oracle.load():
        await oracle.more(20)
    assert running_lab.differences(table, patience_s=heal_patience_s) == ""
    running_lab.run_well("cut", us, eu)
    await clients[us].call("DeleteItem", {"TableName": table, "Key": {"id": {"S": f"{ap}.0.0"}}})
    losses = await oracle.losses(regions)
    assert any(loss.startswith(f"{ap}.0.0 differs") for loss in losses)
