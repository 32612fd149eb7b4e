"""Calls that are made again, with back-off, until the region takes them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from services.replicator.io.port import RegionUnavailableError
from services.replicator.link.backoff import BackOff

T = TypeVar("T")

Chance = Callable[[], float]  # draws from 0…1


class Patience:
    """Repeats a call of a region while that is unavailable; `problem` says what it waits for, None when it doesn't."""

    def __init__(self, backoff: BackOff, chance: Chance) -> None:
        self.problem: str | None = None
        self._backoff = backoff
        self._chance = chance

    async def until_done(self, call: Callable[[], Awaitable[T]]) -> T:
        failures = 0
        while True:
            try:
                result = await call()
            except RegionUnavailableError as error:
                failures += 1
                self.problem = str(error)
                await asyncio.sleep(self._backoff.delay_s(failures, chance=self._chance()))
            else:
                self.problem = None
                return result
