"""What processes take, as the kernel counts it: processor time over a while, and resident memory."""

import asyncio
import os
import time
from collections.abc import Collection
from pathlib import Path

_ticks_per_s = os.sysconf("SC_CLK_TCK")
_page_bytes = os.sysconf("SC_PAGE_SIZE")


async def cores_taken(pids: Collection[int], *, seconds: float) -> float:
    """Cores that these processes keep busy together, on average from now on: 0.1 is a tenth of one."""
    began, before_s = time.monotonic(), processor_s(pids)
    await asyncio.sleep(seconds)
    return (processor_s(pids) - before_s) / (time.monotonic() - began)


def resident_bytes(pids: Collection[int]) -> int:
    """Memory that these processes hold together; what they share counts for each."""
    return sum(int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) for pid in pids) * _page_bytes


def processor_s(pids: Collection[int]) -> float:
    """Processor time in seconds that these processes have taken since they began."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _ticks_per_s
