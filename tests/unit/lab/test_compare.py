"""Compare names exactly the keys that differ, asks for few of the others, and never takes silence for equality."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.lab import compare as module
from services.lab.compare import TableComparison, compare, describe, document_of
from services.lab.ports import free_ports, loopback
from services.lab.record import LabRecord, LabRequest, plan_lab
from shared.errors import OperatorError
from shared.limits import partitions_default, slots
from shared.model.keys import partition_of, slot_of
from tests.unit.lab.http_stub import http_stub, ok

generation = "ab" * 16
Items = Mapping[str, str]  # key -> version


@dataclass
class RegionStub:
    """Answers the digest routes for one table, from a dictionary."""

    items: Items | None  # None: it has no such table
    replicas: Sequence[str] = ()
    keys_listed: int = 0
    token: str = field(default="")

    async def respond(self, line: str, _body: bytes) -> bytes:
        url = urlsplit(line.split()[1])
        if url.path.startswith("/v1/tables/"):
            return ok(orjson.dumps({"replicas": [{"region": name} for name in self.replicas]}))
        query = {name: int(values[0]) for name, values in parse_qs(url.query).items()}
        return ok(orjson.dumps(self._document(url.path, query)))

    def _document(self, path: str, query: Mapping[str, int]) -> dict[str, Any]:
        if path == "/internal/v1/digests":
            return {"tables": [] if self.items is None else [self._table()]}
        partition = int(path.split("/")[5])
        chosen = self._in(partition, range(query["first_slot"], query["last_slot"] + 1))
        if path.endswith("/keys"):
            self.keys_listed += len(chosen)
            items = [
                {"key": {"id": {"S": key}}, "version": version, "digest": version} for key, version in chosen.items()
            ]
            return {"items": items}
        return _digest(chosen)

    def _table(self) -> dict[str, Any]:
        partitions = [
            {"partition": partition, **_digest(self._in(partition, range(slots)))}
            for partition in range(partitions_default)
        ]
        return {
            "table": "t",
            "generation": generation,
            "partition_count": partitions_default,
            "partitions": partitions,
        }

    def _in(self, partition: int, chosen: range) -> dict[str, str]:
        return {
            key: version
            for key, version in (self.items or {}).items()
            if slot_of(key.encode()) in chosen and partition_of(slot_of(key.encode()), partitions_default) == partition
        }


def _digest(items: Items) -> dict[str, Any]:
    total = sum(hash((key, version)) for key, version in items.items()) % (1 << 128)
    return {"digest": f"{total:032x}", "items": len(items)}


async def compared(regions: Mapping[str, RegionStub], table: str | None = None) -> list[TableComparison]:
    async with AsyncExitStack() as stack:
        endpoints = {name: await stack.enter_async_context(http_stub(stub.respond)) for name, stub in regions.items()}
        return await compare(record_of(endpoints), table=table)


def record_of(endpoints: Mapping[str, str]) -> LabRecord:
    record = plan_lab(LabRequest(regions=tuple(endpoints)), None)
    processes = (
        replace(each, address=endpoints[each.region]) if each.role == "region" else each for each in record.processes
    )
    return replace(record, processes=tuple(processes))


def stubs(*items: Items) -> dict[str, RegionStub]:
    return {f"r{index}": RegionStub(each) for index, each in enumerate(items)}


contents = st.dictionaries(st.integers(0, 300).map(str), st.sampled_from("1234"), max_size=300)


@settings(max_examples=30)
@given(contents, contents, st.integers(0, 40))
async def test_exactly_the_differing_keys_are_named(common: Items, changes: Items, listed_max: int) -> None:
    first, second = dict(common), {**common, **changes}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "items_listed_max", listed_max)
        (comparison,) = await compared(stubs(first, second))
    named = {difference.key["id"]["S"]: difference.versions for difference in comparison.differences}
    assert named == {key: {"r0": first.get(key), "r1": second[key]} for key in second if first.get(key) != second[key]}
    assert comparison.is_equal is (not named)


async def test_few_keys_are_listed_to_find_one_among_many() -> None:
    items = {f"item-{number}": "1" for number in range(5000)}
    regions = stubs(items, items, {**items, "item-77": "2"})
    (comparison,) = await compared(regions)
    assert [difference.key for difference in comparison.differences] == [{"id": {"S": "item-77"}}]
    assert comparison.differences[0].versions == {"r0": "1", "r1": "1", "r2": "2"}
    assert all(0 < stub.keys_listed <= module.items_listed_max for stub in regions.values())


async def test_so_many_differences_are_cut_short_and_said_to_be() -> None:
    items = {f"item-{number}": "1" for number in range(1500)}
    (comparison,) = await compared(stubs(items, {}))
    assert len(comparison.differences) == module.keys_named_max
    assert not comparison.is_complete
    assert "and more" in describe([comparison])


async def test_a_replica_that_is_not_there_yet_is_a_difference() -> None:
    regions = {"r0": RegionStub({"a": "1"}, replicas=["r0", "r1"]), "r1": RegionStub(None), "r2": RegionStub(None)}
    (comparison,) = await compared(regions)
    assert comparison.regions == ["r0", "r1"]
    assert comparison.missing == ["r1"]
    assert not comparison.is_equal
    assert document_of([comparison])["equal"] is False


async def test_a_table_of_one_region_is_not_compared() -> None:
    regions = {"r0": RegionStub({"a": "1"}), "r1": RegionStub(None)}
    assert await compared(regions) == []
    assert document_of([]) == {"equal": True, "tables": []}


async def test_a_table_that_nobody_has_is_an_error() -> None:
    with pytest.raises(OperatorError, match="there is no table missing"):
        await compared(stubs({}, {}), table="missing")


async def test_a_silent_region_is_an_error_not_a_difference() -> None:
    async with http_stub(RegionStub({}).respond) as endpoint:
        record = record_of({"r0": endpoint, "r1": f"http://{loopback}:{free_ports(1)[0]}"})
        with pytest.raises(OperatorError, match="can't be compared"):
            await compare(record, table=None)


async def test_the_text_names_keys_with_each_regions_version() -> None:
    (comparison,) = await compared(stubs({"a": "1"}, {}))
    assert describe([comparison]).splitlines() == [
        "t: DIFFERENT (items: r0 1, r1 0)",
        '  {"id":{"S":"a"}}: r0 1, r1 absent',
    ]
