"""How internal routes write lanes, generations and positions in JSON, and read them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import orjson
from fastapi import Response
from pydantic import BaseModel, Field

from shared.changes.records import Lane
from shared.errors import RequestRefusedError
from shared.feed.port import Position
from shared.model.tables import Generation, RegionName
from shared.topology import Topology

hex_generation = r"^[0-9a-f]{32}$"
Integer = Annotated[int, Field(ge=-1, lt=2**63)]  # what a partition file can keep


class NamedLane(BaseModel):
    generation: str = Field(pattern=hex_generation)
    partition: int = Field(ge=0)

    @property
    def lane(self) -> Lane:
        return Lane(generation_of(self.generation), self.partition)


class NamedTable(BaseModel):
    generation: str = Field(pattern=hex_generation)


def generation_of(text: str) -> Generation:
    try:
        generation = bytes.fromhex(text)
    except ValueError:
        generation = b""
    if len(generation) != 16:
        raise RequestRefusedError("bad_request", "a generation is written as 32 hexadecimal digits")
    return Generation(generation)


def other_region(name: str, topology: Topology, *, region: str) -> RegionName:
    if name not in topology or name == region:
        raise RequestRefusedError("unknown_region", f"{name} is no other region of this topology")
    return RegionName(name)


def lane_numbers(numbers: Mapping[Lane, int]) -> Sequence[tuple[str, int, int]]:
    return [(lane.generation.hex(), lane.partition, number) for lane, number in numbers.items()]


def by_lane(named: Sequence[tuple[str, int, int]]) -> Mapping[Lane, int]:
    return {Lane(generation_of(generation), partition): number for generation, partition, number in named}


def lane_names(lanes: Sequence[Lane]) -> Sequence[tuple[str, int]]:
    return [(lane.generation.hex(), lane.partition) for lane in lanes]


def position_documents(positions: Mapping[str, Position]) -> Mapping[str, Sequence[int]]:
    return {name: list(position) for name, position in positions.items()}


def json_reply(document: Mapping[str, Any]) -> Response:
    return Response(orjson.dumps(document), media_type="application/json")
