"""A seeded workload: which region writes what, the same for the same seed. Pure.

Most writes go to items of the writing region alone; a share of them goes to a few hot items that all regions
write, where versions of different regions meet and conflict.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

hot_keys = 10
own_keys = 5_000
payload_chars = 220  # with keys and names an item of some 300 bytes


class Write(NamedTuple):
    operation: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Workload:
    table: str
    seed: int
    conflict_percent: float

    def of_region(self, region: str) -> Iterator[Write]:
        """The endless sequence of one region's writes: seven puts to two updates to one delete."""
        choice = random.Random(f"{self.seed}/{region}")
        number = 0
        while True:
            number += 1
            yield self._write(choice, region, number)

    def _write(self, choice: random.Random, region: str, number: int) -> Write:
        key = {"id": {"S": self._key(choice, region)}}
        kind = choice.randrange(10)
        if kind == 0:
            return Write("DeleteItem", {"TableName": self.table, "Key": key})
        if kind <= 2:
            return Write(
                "UpdateItem",
                {
                    "TableName": self.table,
                    "Key": key,
                    "UpdateExpression": "SET writer = :region, #number = :number ADD writes :one",
                    "ExpressionAttributeNames": {"#number": "number"},
                    "ExpressionAttributeValues": {
                        ":region": {"S": region},
                        ":number": {"N": str(number)},
                        ":one": {"N": "1"},
                    },
                },
            )
        payload = {"S": choice.randbytes(payload_chars // 2).hex()}
        item = {**key, "writer": {"S": region}, "number": {"N": str(number)}, "payload": payload}
        return Write("PutItem", {"TableName": self.table, "Item": item})

    def _key(self, choice: random.Random, region: str) -> str:
        if choice.random() * 100 < self.conflict_percent:
            return f"hot-{choice.randrange(hot_keys)}"
        return f"{region}-{choice.randrange(own_keys)}"
