"""Links cut under load, then healed: every region takes writes all the time, and nothing is lost."""

import asyncio

import pytest

from services.lab.links import Link
from tests.faults import lags
from tests.faults.judgement import assert_recovers
from tests.faults.lab import Lab, regions
from tests.faults.oracle import Oracle

us, eu, ap = regions


@pytest.mark.parametrize(
    ("cuts", "lagging"),
    [
        pytest.param([(us, eu, "--one-way")], [Link(us, eu)], id="one-way"),
        pytest.param([(us, eu), (us, ap)], [Link(us, eu), Link(us, ap), Link(eu, us), Link(ap, us)], id="a-region"),
    ],
)
async def test_nothing_is_lost_when_links_are_cut(
    running_lab: Lab, table: str, cuts: list[tuple[str, ...]], lagging: list[Link]
) -> None:
    oracle = Oracle(running_lab, table, regions=regions)
    async with oracle.load():
        await oracle.more(50)
        for cut in cuts:
            await asyncio.to_thread(running_lab.run_well, "cut", *cut)
        assert await lags.rise(running_lab, table, lagging)
        await oracle.more(50)
        await asyncio.to_thread(running_lab.run_well, "heal")
        await oracle.more(50)
    assert all(tally.failed == 0 for tally in oracle.tallies.values())
    await assert_recovers(running_lab, oracle, table, regions=regions)


def test_a_region_without_a_second_one_is_cut_off_from_all(running_lab: Lab) -> None:
    cut = running_lab.run_well("cut", us)
    assert sorted(cut.splitlines()) == sorted(
        f"{source} -> {target} is cut" for source, target in ((us, eu), (eu, us), (us, ap), (ap, us))
    )
