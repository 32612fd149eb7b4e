"""How far behind a lab's links are, as its status tells: rising while something is broken, 0 when all is well."""

from collections.abc import Collection, Mapping
from typing import Any

from services.lab.links import Link
from services.lab.status import read_status
from tests.faults.lab import Lab, eventually

risen_s = 1.5  # more than an idle or a busy link ever shows
rise_patience_s = 15.0


async def standings(lab: Lab, table: str) -> Mapping[Link, dict[str, Any]]:
    """Every link of a table, as `status --json` has it."""
    status = await read_status(lab.record, cuts=())
    return {Link(each["source"], each["target"]): each for each in status.links if each["table"] == table}


async def rise(lab: Lab, table: str, links: Collection[Link]) -> bool:
    """Whether the lag of all these links passes a bound, and then is seen to grow beyond that."""
    lows: dict[Link, float] = {}
    grown: set[Link] = set()

    async def all_have() -> bool:
        found = await standings(lab, table)
        for link in links:
            lag_s = found[link]["frontier_lag_s"] if link in found else None
            if lag_s is not None and lag_s > risen_s and lag_s > lows.setdefault(link, lag_s):
                grown.add(link)
        return grown == set(links)

    return await eventually(all_have, patience_s=rise_patience_s)


async def vanish(lab: Lab, table: str, *, count: int, patience_s: float) -> str:
    """Waits until all `count` links of a table follow without lag or backlog; what is wrong if they don't."""
    found: Mapping[Link, dict[str, Any]] = {}

    async def all_have() -> bool:
        nonlocal found
        found = await standings(lab, table)
        at_rest = [
            each["state"] == "FOLLOWING" and each["frontier_lag_s"] == 0 and each["backlog"] == 0
            for each in found.values()
        ]
        return len(at_rest) == count and all(at_rest)

    return "" if await eventually(all_have, patience_s=patience_s) else str(dict(found))
