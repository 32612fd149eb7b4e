"""Requests of all operations, drawn by the service model: many would be accepted, some are spoilt somewhere.

Every member has the type that the model gives it. Where that says too little (names, keys, expressions, definitions),
`drawn_by_hand` has something that fits the tables.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from tests.fuzz import expressions
from tests.fuzz.dice import Dice
from tests.fuzz.drawn_by_hand import members_by_hand, values_by_hand
from tests.fuzz.learned import learned
from tests.fuzz.service_model import operations_by_target
from tests.fuzz.slips import spoilt

_service = "DynamoDB_20120810."
_tables = [
    *("PutItem", "UpdateItem", "GetItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem"),
    *("TransactWriteItems", "TransactGetItems", "ExecuteStatement", "ExecuteTransaction", "BatchExecuteStatement"),
    *("CreateTable", "CreateTable", "UpdateTable", "DeleteTable", "DescribeTable"),
]
_streams = ["DescribeStream", "GetShardIterator", "GetRecords"]
frequent_targets = [_service + name for name in _tables] + [f"DynamoDBStreams_20120810.{name}" for name in _streams]
"""Three of four requests are of these."""


class Request(NamedTuple):
    target: str
    body: Any


class Requests:
    """An endless sequence, the same for the same seed; it begins with one request of each operation."""

    def __init__(self, seed: int | str) -> None:
        self._dice = Dice(seed)
        self._shapes = {target: operation.asked for target, operation in operations_by_target().items()}

    def __iter__(self) -> Iterator[Request]:
        targets = [*self._shapes]
        for target in self._dice.sample(targets, len(targets)):
            yield self._request(target)
        while True:
            request = self._request(self._dice.choice(targets if self._dice.one_in(4) else frequent_targets))
            yield request
            if self._dice.one_in(50):
                yield request  # as a client that had no answer
            if request.target in _page_members and isinstance(request.body, dict) and "Limit" in request.body:
                yield Request(request.target, {**request.body, **_page_members[request.target]})

    def _request(self, target: str) -> Request:
        body = _structure(self._dice, self._shapes[target], 0)
        return Request(target, spoilt(self._dice, body) if self._dice.one_in(5) else body)


_page_members = {
    _service + "Query": {"ExclusiveStartKey": learned("LastEvaluatedKey")},
    _service + "Scan": {"ExclusiveStartKey": learned("LastEvaluatedKey")},
    _service + "ExecuteStatement": {"NextToken": learned("NextToken")},
}
_older_members = frozenset(
    [
        *("AttributesToGet", "AttributeUpdates", "Expected", "ConditionalOperator"),
        *("KeyConditions", "QueryFilter", "ScanFilter"),
    ]
)
_judging_members = frozenset(["Expected", "QueryFilter", "ScanFilter"])
_placeholders = ("ExpressionAttributeNames", "ExpressionAttributeValues")
_usual_members = frozenset(["KeyConditions", "AttributeUpdates", "UpdateExpression"])
_one_of_many = frozenset(
    [
        *("WriteRequest", "TransactWriteItem", "ReplicaUpdate", "ReplicationGroupUpdate", "GlobalSecondaryIndexUpdate"),
        *("GlobalTableWitnessGroupUpdate", "VectorIndexUpdate"),
    ]
)
_complete_by_hand = frozenset(["CreateTableInput", "UpdateTableInput"])
_levels_max = 8


def _structure(dice: Dice, shape: Any, levels: int) -> dict[str, Any]:
    if shape.name in _one_of_many and not dice.one_in(30):
        name = dice.choice([*shape.members])
        return {name: _value(dice, shape.members[name], levels + 1)}
    by_hand = members_by_hand[shape.name](dice) if shape.name in members_by_hand else {}
    density = 0.0 if shape.name in _complete_by_hand and not dice.one_in(10) else dice.choice([0.0, 0.1, 0.3, 0.6])
    drawn = {
        name: _value(dice, member, levels + 1)
        for name, member in shape.members.items()
        if name not in by_hand and _is_drawn(dice, shape, name, density / (1 + levels))
    }
    members = {name: value for name, value in {**drawn, **by_hand}.items() if value is not None}
    if not _older_members.isdisjoint(shape.members):
        members = _of_one_kind(dice, members)
    return _with_placeholders(dice, shape, members)


def _is_drawn(dice: Dice, shape: Any, name: str, density: float) -> bool:
    if name in _placeholders:
        return False
    if name in shape.required_members:
        return True
    return dice.random() < (0.8 if name in _usual_members else density)


def _of_one_kind(dice: Dice, members: dict[str, Any]) -> dict[str, Any]:
    """Older parameters or expressions, mostly not both."""
    if dice.one_in(60):
        return members
    if not dice.one_in(6):
        return {name: value for name, value in members.items() if name not in _older_members}
    older = {name: value for name, value in members.items() if not name.endswith("Expression")}
    if _judging_members.isdisjoint(older):
        older.pop("ConditionalOperator", None)
    return older


def _with_placeholders(dice: Dice, shape: Any, members: dict[str, Any]) -> dict[str, Any]:
    """With definitions of what the expressions use; a structure without expressions has no room for any."""
    texts = [value for name, value in members.items() if name.endswith("Expression")]
    definitions = zip(_placeholders, (expressions.names_for(texts), expressions.values_for(dice, texts)), strict=True)
    return members | {name: defined for name, defined in definitions if defined and name in shape.members}


def _value(dice: Dice, shape: Any, levels: int) -> Any:
    if shape.name in values_by_hand:
        return values_by_hand[shape.name](dice)
    if shape.type_name == "structure":
        return {} if levels > _levels_max else _structure(dice, shape, levels)
    if shape.type_name == "list":
        return [_value(dice, shape.member, levels + 1) for _ in _repetitions(dice, shape)]
    if shape.type_name == "map":
        return {_value(dice, shape.key, levels): _value(dice, shape.value, levels + 1) for _ in dice.times(2)}
    return _scalars[shape.type_name](dice, shape)


def _repetitions(dice: Dice, shape: Any) -> range:
    most = shape.metadata.get("max", 20)
    if dice.one_in(200):
        return range(min(most, 100) + dice.randint(0, 1))
    return dice.times(min(most, 3))


def _text(dice: Dice, shape: Any) -> str:
    if shape.enum:
        return str(dice.choice(shape.enum))
    fewest, most = max(1, int(shape.metadata.get("min", 1))), int(shape.metadata.get("max", 300))
    if dice.one_in(50):
        return "x" * min(most, 65_536)
    return str(dice.choice(["a", "abc", "1", "token"])).ljust(fewest, "0")


def _integer(dice: Dice, shape: Any) -> int:
    fewest, most = shape.metadata.get("min", 0), shape.metadata.get("max", 2**31 - 1)
    return int(dice.choice([fewest, most]) if dice.one_in(10) else min(most, fewest + dice.choice([1, 2, 5, 10, 50])))


_scalars: Mapping[str, Callable[[Dice, Any], Any]] = {
    "string": _text,
    "integer": _integer,
    "long": _integer,
    "boolean": lambda dice, _: dice.one_in(2),
    "double": lambda dice, _: dice.choice([0.0, 1.5, 70.0]),
    "timestamp": lambda dice, _: dice.choice([0, 1_700_000_000, 1_700_000_000.5, 4_000_000_000]),
    "blob": lambda dice, _: dice.choice(["", "AA==", "QUJD"]),
}
