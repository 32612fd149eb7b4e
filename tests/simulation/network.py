"""The network between sites: questions and answers take their time, get lost, and fail in one or both directions.

A question that has arrived is worked on to its end, whatever becomes of who asked it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Generic, Protocol, TypeVar

from services.replicator.io.port import RegionUnavailableError
from shared.errors import ServiceError
from tests.simulation.processes import Process

Answer = TypeVar("Answer")
Service = TypeVar("Service")
Service_co = TypeVar("Service_co", covariant=True)

answer_limit_s = 4.0
latency_s_max = 0.012
straggler_chance, straggler_s_max = 0.01, 1.5


class Cut(Enum):
    REFUSES = "refuses"  # whoever sends is told at once
    SWALLOWS = "swallows"  # packets vanish


class Site(Protocol[Service_co]):
    """What can be asked: while nothing runs there, `process` or `service` is None."""

    @property
    def name(self) -> str: ...
    @property
    def process(self) -> Process | None: ...
    @property
    def service(self) -> Service_co | None: ...


@dataclass(frozen=True, slots=True)
class Caller:
    """A process at a site, as one end of a link."""

    site: str
    process: Process


@dataclass(slots=True)
class _Line(Generic[Service]):
    cut: Cut | None = None
    slow_s_max: float = 0.0
    loss: float = 0.0


class Network:
    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._lines: dict[tuple[str, str], _Line[object]] = {}

    def cut(self, source: str, target: str, how: Cut) -> None:
        """From now on nothing gets from one site to another; the other direction is not touched."""
        self._line(source, target).cut = how

    def heal(self, source: str, target: str) -> None:
        self._line(source, target).cut = None

    def slow(self, source: str, target: str, *, latency_s_max: float, loss: float) -> None:
        line = self._line(source, target)
        line.slow_s_max, line.loss = latency_s_max, loss

    def heal_all(self) -> None:
        self._lines.clear()

    async def ask(
        self,
        caller: Caller,
        site: Site[Service],
        question: Callable[[Service], Awaitable[Answer]],
        *,
        limit_s: float = answer_limit_s,
    ) -> Answer:
        """The answer, a refusal (`RequestRefusedError`), or `RegionUnavailableError` when none came in time."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + limit_s
        await self._travel(caller.site, site.name, deadline_s)
        process, service = site.process, site.service
        if process is None or service is None or not caller.process.is_alive:
            raise RegionUnavailableError(f"{site.name} is down")
        work = process.answer(_answered(question, service))
        await asyncio.wait([work], timeout=max(0.0, deadline_s - loop.time()))
        if not work.done() or work.cancelled():
            await asyncio.sleep(0.0)
            raise RegionUnavailableError(f"{site.name} gave no answer")
        await self._travel(site.name, caller.site, deadline_s)
        error = work.exception()
        if isinstance(error, ServiceError) and error.retryable:
            raise RegionUnavailableError(f"{site.name} can't serve this now: {error}")
        return work.result()

    async def _travel(self, source: str, target: str, deadline_s: float) -> None:
        line = self._line(source, target)
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._latency_s(line))
        if line.cut is Cut.REFUSES:
            raise RegionUnavailableError(f"{source} can't reach {target}")
        if line.cut is Cut.SWALLOWS or self._chance.random() < line.loss:
            await asyncio.sleep(max(0.0, deadline_s - loop.time()))
            raise RegionUnavailableError(f"{target} was not heard in {source}")

    def _latency_s(self, line: _Line[object]) -> float:
        if self._chance.random() < straggler_chance:
            return self._chance.uniform(0.0, straggler_s_max)
        return self._chance.uniform(0.0, latency_s_max + line.slow_s_max)

    def _line(self, source: str, target: str) -> _Line[object]:
        return self._lines.setdefault((source, target), _Line())


async def _answered(question: Callable[[Service], Awaitable[Answer]], service: Service) -> Answer:
    return await question(service)
