"""Long reads in slices: of all that are under way, one goes on in each turn of the event loop.

So a point read waits for one slice at most, however many clients scan.
"""

import asyncio

slice_rows_max = 64  # some half a millisecond of the event loop


class Slices:
    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def next(self) -> None:
        """Between two slices: gives way to whoever waits for less, and to the other long reads in their order."""
        async with self._turn:
            await asyncio.sleep(0)
