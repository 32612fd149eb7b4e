"""Clocks of regions: all run at the pace of virtual time, each is off by its own error and may jump."""

import asyncio
from dataclasses import dataclass

epoch_us = 1_767_225_600_000_000  # the first moment of 2026


@dataclass(slots=True)
class Calendar:
    """What all clocks agree on: a night that passes makes everything older, everywhere."""

    passed_us: int = 0


class SimulatedClock:
    def __init__(self, calendar: Calendar, *, error_us: int) -> None:
        self.error_us = error_us
        self._calendar = calendar

    def wall_us(self) -> int:
        return epoch_us + self._calendar.passed_us + self.error_us + int(self.monotonic_s() * 1_000_000)

    def monotonic_s(self) -> float:
        return asyncio.get_running_loop().time()
