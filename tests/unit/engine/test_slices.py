"""Long work gives way to others as soon as a slice is used up, and not before."""

import asyncio

import pytest

from services.region.engine.slices import Slices, slice_s


class CostlyClock:
    """Each look at it takes as long as the work between two looks is to take."""

    def __init__(self, cost_s: float) -> None:
        self._cost_s = cost_s
        self._now_s = 0.0

    def wall_us(self) -> int:
        return 0

    def monotonic_s(self) -> float:
        self._now_s += self._cost_s
        return self._now_s


async def turns_of_others(works: int, cost_s: float) -> int:
    """How often the event loop comes round while so many works are done one after the other."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    running = asyncio.create_task(others())
    done = [work async for work in Slices().of(range(works), CostlyClock(cost_s))]
    running.cancel()
    assert done == list(range(works))
    return turns


@pytest.mark.parametrize(("cost_s", "turns"), [(0.0, 0), (1.1 * slice_s, 20), (0.26 * slice_s, 5)])
async def test_work_gives_way_whenever_a_slice_is_used_up(cost_s: float, turns: int) -> None:
    assert await turns_of_others(20, cost_s) == pytest.approx(turns, abs=1)


async def test_of_several_one_goes_on_in_each_turn() -> None:
    """Or else a point read would wait for as many slices as there are clients with long work."""
    slices, done = Slices(), 0

    async def work() -> None:
        nonlocal done
        async for _ in slices.of(range(3), CostlyClock(2 * slice_s)):
            done += 1

    done_in_turns: list[int] = []
    running = asyncio.gather(work(), work(), work())
    while not running.done():
        before = done
        await asyncio.sleep(0)
        done_in_turns.append(done - before)
    assert sum(done_in_turns) == 9
    assert done_in_turns[0] == 3, "all begin at once"
    assert max(done_in_turns[1:]) == 1
