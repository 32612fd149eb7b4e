"""Long work in slices: of all that is under way, one goes on in each turn of the event loop.

So a point read waits for one slice at most, however many clients scan.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

from shared.clock import Clock

T = TypeVar("T")

slice_rows_max = 64  # some half a millisecond of the event loop
slice_s = 0.005  # of work of which nobody knows beforehand how long it takes


class Slices:
    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def next(self) -> None:
        """Between two slices: gives way to whoever waits for less, and to the other long work in its order."""
        async with self._turn:
            await asyncio.sleep(0)

    async def of(self, works: Iterable[T], clock: Clock) -> AsyncIterator[T]:
        """One after the other; what it takes to get one and what is done with it count, and are never cut in two."""
        began_s = clock.monotonic_s()
        for work in works:
            yield work
            if clock.monotonic_s() - began_s >= slice_s:
                await self.next()
                began_s = clock.monotonic_s()
