"""The tables that requests are about: a main one that stays, and scratch tables that come, change and go."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from tests.fuzz.dice import Dice

region = "us-east-1"
other_region = "eu-west-1"
account = "000000000000"

kinds = {
    "pk": "S",
    "sk": "S",
    "a": "S",
    "n": "N",
    "b": "B",
    "t": "BOOL",
    "z": "NULL",
    "l": "L",
    "m": "M",
    "ss": "SS",
    "ns": "NS",
    "bs": "BS",
    "ttl": "N",
}
"""The attributes that items have, and of which type each usually is."""


class Keys(NamedTuple):
    """Names of key attributes; an index may have several of each sort."""

    partition: Sequence[str]
    sort: Sequence[str] = ()

    @property
    def names(self) -> Sequence[str]:
        return (*self.partition, *self.sort)


main_table = "orders"
main_keys = Keys(["pk"], ["sk"])
scratch_tables = tuple(f"scratch-{number}" for number in range(8))
indexes: Mapping[str, Keys] = {
    "by-a": Keys(["a"], ["n"]),
    "by-n": Keys(["pk"], ["n"]),
    "by-b": Keys(["b"]),
    "by-ttl": Keys(["ttl"], ["pk"]),
    "by-four": Keys(["a", "pk"], ["n", "b"]),
}
"""The keys of each index, wherever there is one of that name."""
local_index = "by-n"

_scratch_keys = [main_keys, main_keys, main_keys, Keys(["pk"]), Keys(["n"]), Keys(["b"], ["n"]), Keys(["a"], ["b"])]
_some_units = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}


def arn(table: str) -> str:
    return f"arn:aws:dynamodb:{region}:{account}:table/{table}"


def main_definition() -> dict[str, Any]:
    return {
        **_definition(main_table, main_keys, local_indexes=[local_index], global_indexes=["by-a", "by-four"]),
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    }


def main_time_to_live() -> dict[str, Any]:
    return {"TableName": main_table, "TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": True}}


def scratch_definition(dice: Dice) -> dict[str, Any]:
    """Mostly of a table that can be made as it stands."""
    keys = dice.choice(_scratch_keys)
    local_indexes = [local_index] if keys == main_keys and dice.one_in(3) else []
    global_indexes = dice.some([name for name in indexes if name not in local_indexes], most=2)
    definition = _definition(
        dice.choice(scratch_tables), keys, local_indexes=local_indexes, global_indexes=global_indexes
    )
    if dice.one_in(3):
        definition["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    if dice.one_in(4):
        definition |= {"BillingMode": "PROVISIONED", "ProvisionedThroughput": _some_units}
        for each in definition.get("GlobalSecondaryIndexes", []):
            each["ProvisionedThroughput"] = _some_units
    if dice.one_in(4):
        definition["Tags"] = [{"Key": "made-by", "Value": "fuzz"}]
    return {**definition, **_contradiction(dice, definition)} if dice.one_in(6) else definition


def change(dice: Dice) -> dict[str, Any]:
    """One change, as UpdateTable takes it: replicas of scratch tables only, since the other region never answers, and
    protection from deletion for the main table, so that scratch tables can go.
    """
    scratch = dice.choice(scratch_tables)
    units = {"ReadCapacityUnits": dice.randint(1, 9), "WriteCapacityUnits": 7}
    stream = dice.choice([{"StreamEnabled": False}, {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}])
    replica = {"RegionName": other_region}
    changes: list[dict[str, Any]] = [
        *(_index_change(dice), _index_change(dice), _index_change(dice)),
        {"StreamSpecification": stream},
        {"BillingMode": "PAY_PER_REQUEST"},
        {"BillingMode": "PROVISIONED", "ProvisionedThroughput": units, **_provisioned_indexes(dice)},
        {"ProvisionedThroughput": units},
        {"OnDemandThroughput": {"MaxReadRequestUnits": dice.choice([-1, 1, 100, 50_000])}},
        {"WarmThroughput": {"ReadUnitsPerSecond": dice.choice([1, 13_000]), "WriteUnitsPerSecond": 5_000}},
        {"SSESpecification": dice.choice([{"Enabled": False}, {"Enabled": True, "SSEType": "KMS"}])},
        {"TableClass": dice.choice(["STANDARD", "STANDARD_INFREQUENT_ACCESS"])},
        {"TableName": main_table, "DeletionProtectionEnabled": dice.one_in(2)},
        {"TableName": scratch, "DeletionProtectionEnabled": False},
        {"TableName": scratch, "ReplicaUpdates": [{dice.choice(["Create", "Delete"]): replica}]},
        {"TableName": scratch, "ReplicaUpdates": [{"Update": {**replica, "TableClassOverride": "STANDARD"}}]},
    ]
    return {"TableName": dice.choice([main_table, scratch, scratch]), **dice.choice(changes)}


def _index_change(dice: Dice) -> dict[str, Any]:
    name = dice.choice([*indexes])
    if dice.one_in(5):
        return {"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": name}}]}
    if dice.one_in(5):
        settings = dice.choice(
            [
                {"ProvisionedThroughput": {"ReadCapacityUnits": dice.randint(1, 9), "WriteCapacityUnits": 3}},
                {"OnDemandThroughput": {"MaxWriteRequestUnits": dice.choice([-1, 0, 100])}},
                {"WarmThroughput": {"ReadUnitsPerSecond": dice.choice([5, 12_000, 14_000])}},
            ]
        )
        return {"GlobalSecondaryIndexUpdates": [{"Update": {"IndexName": name, **settings}}]}
    projection = dice.choice(
        [
            {"ProjectionType": "ALL"},
            {"ProjectionType": "KEYS_ONLY"},
            {"ProjectionType": "INCLUDE", "NonKeyAttributes": dice.several(["m", "l", "z"], most=3)},
        ]
    )
    return {
        "AttributeDefinitions": _attributes(indexes[name].names),
        "GlobalSecondaryIndexUpdates": [{"Create": {**_index(name), "Projection": projection}}],
    }


def _provisioned_indexes(dice: Dice) -> dict[str, Any]:
    updates = [
        {"Update": {"IndexName": name, "ProvisionedThroughput": _some_units}} for name in dice.some([*indexes], most=2)
    ]
    return {"GlobalSecondaryIndexUpdates": updates} if updates else {}


def _contradiction(dice: Dice, definition: dict[str, Any]) -> dict[str, Any]:
    """Members that are well by themselves and don't go together with the others."""
    schema, attributes = definition["KeySchema"], definition["AttributeDefinitions"]
    return dice.choice(
        [
            {"KeySchema": schema[::-1]},
            {"KeySchema": schema + schema},
            {"KeySchema": _key_schema(Keys(["pk"], ["pk"]))},
            {"AttributeDefinitions": attributes[1:]},
            {"AttributeDefinitions": attributes + attributes[:1]},
            {"AttributeDefinitions": [*attributes, {"AttributeName": "unused", "AttributeType": "S"}]},
            {"GlobalSecondaryIndexes": [_index("by-b"), _index("by-b")]},
            {"GlobalSecondaryIndexes": [{**_index("by-b"), "IndexName": f"many-{n}"} for n in range(21)]},
            {"GlobalSecondaryIndexes": [{**_index("by-a"), "KeySchema": _key_schema(Keys(["a"] * 5))}]},
            {"GlobalSecondaryIndexes": [{**_index("by-a"), "Projection": {"ProjectionType": "INCLUDE"}}]},
            {"GlobalSecondaryIndexes": [{**_index("by-a"), "Projection": {}}]},
            {"LocalSecondaryIndexes": [_index("by-a")]},
            {"LocalSecondaryIndexes": [{**_index(local_index), "IndexName": f"many-{n}"} for n in range(6)]},
            {"LocalSecondaryIndexes": []},
            {"ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 10**12}},
            {"BillingMode": "PROVISIONED"},
            {"StreamSpecification": {"StreamEnabled": True}},
        ]
    )


def _definition(
    table: str, keys: Keys, *, local_indexes: Sequence[str], global_indexes: Sequence[str]
) -> dict[str, Any]:
    used = [
        *keys.names,
        *(attribute for name in (*local_indexes, *global_indexes) for attribute in indexes[name].names),
    ]
    definition: dict[str, Any] = {
        "TableName": table,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": _key_schema(keys),
        "AttributeDefinitions": _attributes(dict.fromkeys(used)),
    }
    if local_indexes:
        definition["LocalSecondaryIndexes"] = [_index(name) for name in local_indexes]
    if global_indexes:
        definition["GlobalSecondaryIndexes"] = [_index(name) for name in global_indexes]
    return definition


def _index(name: str) -> dict[str, Any]:
    projection = {"ProjectionType": "KEYS_ONLY" if name == local_index else "ALL"}
    return {"IndexName": name, "KeySchema": _key_schema(indexes[name]), "Projection": projection}


def _key_schema(keys: Keys) -> list[dict[str, str]]:
    roles = [*(("HASH", name) for name in keys.partition), *(("RANGE", name) for name in keys.sort)]
    return [{"AttributeName": name, "KeyType": role} for role, name in roles]


def _attributes(names: Iterable[str]) -> list[dict[str, str]]:
    return [{"AttributeName": name, "AttributeType": kinds[name]} for name in names]
