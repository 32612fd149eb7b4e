"""Whether the regions hold the same items: digests first, then only the differing slots, down to the keys.

What is still on its way counts as a difference: compare after writes have ended, or again a moment later.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from services.lab.record import LabRecord
from shared.connection import Endpoint, NoAnswerError
from shared.errors import OperatorError
from shared.model.keys import slot_range

answer_timeout_s = 30.0
items_listed_max = 100  # a range with fewer items in every region is listed rather than halved again
keys_named_max = 1000


class KeyDifference(NamedTuple):
    key: dict[str, Any]
    versions: Mapping[str, str | None]  # by region; None where the item is absent


@dataclass(frozen=True, slots=True)
class TableComparison:
    table: str
    generation: str
    regions: Sequence[str]  # that hold a replica, or are to
    missing: Sequence[str]  # of these, the ones that have no such table yet
    items: Mapping[str, int]
    differences: Sequence[KeyDifference]
    is_complete: bool = True  # False when there are more differences than are named

    @property
    def is_equal(self) -> bool:
        return not self.missing and not self.differences


@dataclass(frozen=True, slots=True)
class _Copy:
    """A region's copy of a table: its digests, by partition."""

    table: str
    generation: str
    partition_count: int
    partitions: Mapping[int, tuple[str, int]]

    @property
    def items(self) -> int:
        return sum(items for _, items in self.partitions.values())


@dataclass(slots=True)
class _Findings:
    differences: list[KeyDifference] = field(default_factory=list)
    is_complete: bool = True


async def compare(record: LabRecord, *, table: str | None) -> list[TableComparison]:
    """One entry for every table that is to be in several regions. Raises `OperatorError` when a region is silent."""
    regions = {each.region: _RegionClient(each.region, each.address, record.token) for each in record.regions}
    try:
        return await _compare(regions, table)
    except NoAnswerError as error:
        raise OperatorError(
            "the regions can't be compared",
            why=str(error),
            next_step="Look at meridian lab status; start what is down with: meridian lab start REGION",
        ) from error
    finally:
        for client in regions.values():
            await client.close()


def document_of(comparisons: Sequence[TableComparison]) -> dict[str, Any]:
    return {
        "equal": all(each.is_equal for each in comparisons),
        "tables": [
            {
                "table": each.table,
                "generation": each.generation,
                "equal": each.is_equal,
                "regions": each.regions,
                "missing": each.missing,
                "items": each.items,
                "differences": [{"key": key, "versions": versions} for key, versions in each.differences],
                "complete": each.is_complete,
            }
            for each in comparisons
        ],
    }


def describe(comparisons: Sequence[TableComparison]) -> str:
    if not comparisons:
        return "No table has replicas in several regions; there is nothing to compare."
    return "\n".join(line for each in comparisons for line in _lines(each))


async def _compare(regions: Mapping[str, "_RegionClient"], table: str | None) -> list[TableComparison]:
    listed = await asyncio.gather(*(client.copies() for client in regions.values()))
    copies = {
        name: {copy.generation: copy for copy in own if table in (None, copy.table)}
        for name, own in zip(regions, listed, strict=True)
    }
    if table is not None and not any(copies.values()):
        raise OperatorError(
            f"there is no table {table}", why="no region has it", next_step="Look at meridian lab status"
        )
    comparisons = []
    for generation in dict.fromkeys(generation for own in copies.values() for generation in own):
        holders = {name: own[generation] for name, own in copies.items() if generation in own}
        wanted = await _replicas(regions, holders)
        if len(wanted) > 1:
            comparisons.append(await _compare_table(regions, holders, wanted))
    return sorted(comparisons, key=lambda each: each.table)


async def _replicas(regions: Mapping[str, "_RegionClient"], holders: Mapping[str, _Copy]) -> list[str]:
    """The regions that are to hold the table, which its holders know."""
    if len(holders) == len(regions):
        return list(regions)
    name, copy = next(iter(holders.items()))
    promised = await regions[name].replicas(copy.table)
    return [region for region in regions if region in holders or region in promised]


async def _compare_table(
    regions: Mapping[str, "_RegionClient"], holders: Mapping[str, _Copy], wanted: Sequence[str]
) -> TableComparison:
    findings = _Findings()
    clients = [regions[name] for name in holders]
    first = next(iter(holders.values()))
    for partition in range(first.partition_count):
        if len({copy.partitions.get(partition) for copy in holders.values()}) > 1:
            slots = slot_range(partition, first.partition_count)
            await _drill(clients, f"{first.generation}/{partition}", slots, findings)
    return TableComparison(
        table=first.table,
        generation=first.generation,
        regions=wanted,
        missing=[name for name in wanted if name not in holders],
        items={name: copy.items for name, copy in holders.items()},
        differences=findings.differences,
        is_complete=findings.is_complete,
    )


async def _drill(clients: Sequence["_RegionClient"], place: str, slots: range, findings: _Findings) -> None:
    if not findings.is_complete:
        return
    digests = await asyncio.gather(*(client.digest(place, slots) for client in clients))
    if len(set(digests)) == 1:
        return
    if len(slots) == 1 or max(items for _, items in digests) <= items_listed_max:
        await _name_keys(clients, place, slots, findings)
        return
    middle = (slots.start + slots.stop) // 2
    await _drill(clients, place, range(slots.start, middle), findings)
    await _drill(clients, place, range(middle, slots.stop), findings)


async def _name_keys(clients: Sequence["_RegionClient"], place: str, slots: range, findings: _Findings) -> None:
    listings = await asyncio.gather(*(client.keys(place, slots) for client in clients))
    for key in sorted(set().union(*listings)):
        found = [listing.get(key) for listing in listings]
        if len(set(found)) == 1:
            continue
        if len(findings.differences) == keys_named_max:
            findings.is_complete = False
            return
        versions = {client.name: each and each[0] for client, each in zip(clients, found, strict=True)}
        findings.differences.append(KeyDifference(orjson.loads(key), versions))


class _RegionClient:
    """One region's digests; its answers come from its own items, never from what it knows of others."""

    def __init__(self, name: str, endpoint: str, token: str) -> None:
        self.name = name
        self._endpoint = Endpoint(endpoint, headers={"Authorization": f"Bearer {token}"})

    async def close(self) -> None:
        await self._endpoint.close()

    async def copies(self) -> list[_Copy]:
        document = await self._get("/internal/v1/digests")
        return [
            _Copy(
                each["table"],
                each["generation"],
                each["partition_count"],
                {part["partition"]: (part["digest"], part["items"]) for part in each["partitions"]},
            )
            for each in document["tables"]
        ]

    async def replicas(self, table: str) -> set[str]:
        return {replica["region"] for replica in (await self._get(f"/v1/tables/{table}"))["replicas"]}

    async def digest(self, place: str, slots: range) -> tuple[str, int]:
        document = await self._get(f"/internal/v1/digests/{place}?{_query(slots)}")
        return document["digest"], document["items"]

    async def keys(self, place: str, slots: range) -> dict[bytes, tuple[str, str]]:
        """Version and digest by encoded key."""
        document = await self._get(f"/internal/v1/digests/{place}/keys?{_query(slots)}")
        return {
            orjson.dumps(item["key"], option=orjson.OPT_SORT_KEYS): (item["version"], item["digest"])
            for item in document["items"]
        }

    async def _get(self, path: str) -> dict[str, Any]:
        document: dict[str, Any] = (await self._endpoint.get(path, silence_s=answer_timeout_s)).document()
        return document


def _query(slots: range) -> str:
    return f"first_slot={slots.start}&last_slot={slots.stop - 1}"


def _lines(comparison: TableComparison) -> list[str]:
    held = ", ".join(f"{name} {items}" for name, items in comparison.items.items())
    if comparison.is_equal:
        return [f"{comparison.table}: equal (items: {held})"]
    lines = [f"{comparison.table}: DIFFERENT (items: {held})"]
    lines += [f"  {name} has no such table yet" for name in comparison.missing]
    for key, versions in comparison.differences:
        found = ", ".join(f"{name} {version or 'absent'}" for name, version in versions.items())
        lines.append(f"  {orjson.dumps(key).decode()}: {found}")
    if not comparison.is_complete:
        lines.append(f"  and more; the first {keys_named_max} are named")
    return lines
