"""BatchGetItem and BatchWriteItem: each parser's statements stand in DynamoDB's order of checks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from services.region.api.dynamodb import constraints
from services.region.api.dynamodb import members as shapes
from services.region.api.dynamodb.attribute_values import Attributes
from services.region.api.dynamodb.members import AttributeMap, ListOf, MapOf, Members, Structure, structure
from services.region.api.dynamodb.parameters import (
    capacity_wish,
    check_attributes_to_get,
    check_combination,
    check_item_size,
    collection_wish,
    item_of,
    projection_of,
    substitutions_of,
)
from services.region.api.dynamodb.table_names import table_name_of
from services.region.commands.batches import BatchGetItem, BatchWriteItem, ItemToPut, KeysToGet, KeyToDelete
from services.region.commands.names import NameInArn
from shared import limits
from shared.errors import ValidationError


class _KeyBesideWritten(AttributeMap):
    """Leaves the request as it was written."""

    def read_element(self, value: Any) -> Attributes:
        return super().read_element(value.copy() if type(value) is dict else value)


_keys_and_attributes = structure(
    "KeysAndAttributes",
    "Keys",
    Keys=ListOf(_KeyBesideWritten()),
    AttributesToGet=shapes.attributes_to_get,
    ConsistentRead=shapes.flag,
    ProjectionExpression=shapes.text,
    ExpressionAttributeNames=shapes.texts_by_name,
)
_batch_get_item = structure(
    "BatchGetItemInput",
    "RequestItems",
    RequestItems=MapOf(_keys_and_attributes, table_names=True, shown_as_json=True),
    ReturnConsumedCapacity=shapes.return_consumed_capacity,
)
_write_request = Structure(
    "WriteRequest",
    {
        "DeleteRequest": structure("DeleteRequest", "Key", Key=shapes.attributes_in_older_words),
        "PutRequest": structure("PutRequest", "Item", Item=shapes.attributes_in_older_words),
    },
    required=frozenset(),
    printed=("PutRequest", "DeleteRequest"),
)
_write_requests = ListOf(_write_request)
_batch_write_item = structure(
    "BatchWriteItemInput",
    "RequestItems",
    ReturnConsumedCapacity=shapes.return_consumed_capacity,
    ReturnItemCollectionMetrics=shapes.return_item_collection_metrics,
    RequestItems=MapOf(
        _write_requests,
        table_names=True,
        wrong_names_give_way=True,
        values=ListOf(_write_request, length_min=1, length_max=limits.batch_write_requests_max),
    ),
)
_duplicate_keys = "Provided list of item keys contains duplicates"
_one_request = (
    "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
)


@dataclass(frozen=True, slots=True)
class RequestedKeys(KeysToGet):
    """Keys to get, with what the reply has to say again for those that stay unprocessed."""

    named: str = ""  # the table's name or ARN, as requested
    parameters: Mapping[str, Any] = field(default_factory=dict)  # besides the keys


def parse_batch_get_item(request: dict[str, Any]) -> BatchGetItem:
    members = _batch_get_item.read(request)
    _check_key_counts(members.get("RequestItems"))
    constraints.check(members, _batch_get_item)
    requested = members["RequestItems"]
    of_all_tables = {name: value for wanted in requested.values() for name, value in wanted.items()}
    check_combination(of_all_tables, ("ProjectionExpression",), ("AttributesToGet",))
    tables: dict[str, KeysToGet] = {}
    keys_count = 0
    for table, wanted in requested.items():
        check_combination(wanted, ("ProjectionExpression",), ("AttributesToGet",))
        check_attributes_to_get(wanted)
        substitutions = substitutions_of(wanted)
        projection = projection_of(wanted, substitutions)
        substitutions.check_all_used()
        keys = [item_of(key) for key in wanted["Keys"]]
        _check_distinct(request["RequestItems"][table]["Keys"])
        keys_count += len(keys)
        if keys_count > limits.batch_get_keys_max:
            raise ValidationError("Too many items requested for the BatchGetItem call")
        parameters = {name: value for name, value in wanted.items() if name != "Keys"}
        name = _table_named(table)
        if name in tables:
            name = _arn_of_both(name, tables)
            keys = [key for key in tables.pop(name).keys if key not in keys] + keys
        tables[name] = RequestedKeys(keys, projection, wanted.get("ConsistentRead", False), table, parameters)
    return BatchGetItem(tables, capacity_wish(members))


def parse_batch_write_item(request: dict[str, Any]) -> BatchWriteItem:
    members = _batch_write_item.read(request)
    if members.get("RequestItems") == {}:
        raise ValidationError("The requestItems parameter is required for BatchWriteItem")
    constraints.check(members, _batch_write_item)
    tables: dict[str, list[ItemToPut | KeyToDelete]] = {}
    for table, writes in members["RequestItems"].items():
        if not all(writes):
            raise ValidationError(_one_request)
        name = _table_named(table)
        if name in tables:
            raise _requested_twice(name)
        tables[name] = [_write_of(write) for write in writes]
    if sum(map(len, tables.values())) > limits.batch_write_requests_max:
        raise ValidationError("Too many items requested for the BatchWriteItem call")
    return BatchWriteItem(tables, capacity_wish(members), collection_wish(members))


def _check_key_counts(tables: dict[str, Members | None] | None) -> None:
    """BatchGetItem words these constraints in its own way: without the value, and with the members' own names."""
    if tables is None:
        return
    if not tables:
        raise constraints.errors_detected([_length_error("RequestItems", "greater than or equal to 1")])
    errors = []
    for table, wanted in tables.items():
        place = f"RequestItems.{table}.member.Keys"
        keys = None if wanted is None else wanted.get("Keys")
        if keys == []:
            errors.append(_length_error(place, "greater than or equal to 1"))
        elif keys is not None and len(keys) > limits.batch_get_keys_max:
            errors.append(_length_error(place, f"less than or equal to {limits.batch_get_keys_max}"))
    if errors:
        raise constraints.errors_detected(errors[:10])


def _length_error(place: str, bound: str) -> str:
    return f"Value at '{place}' failed to satisfy constraint: Member must have length {bound}"


def _check_distinct(keys_as_written: list[Any]) -> None:
    """Where a number is written in two ways DynamoDB takes both keys, and answers once."""
    if len({orjson.dumps(key, option=orjson.OPT_SORT_KEYS) for key in keys_as_written}) < len(keys_as_written):
        raise ValidationError(_duplicate_keys)


def _write_of(write: Members) -> ItemToPut | KeyToDelete:
    if len(write) != 1:
        raise ValidationError(_one_request)
    if "DeleteRequest" in write:
        return KeyToDelete(item_of(write["DeleteRequest"]["Key"]))
    attributes = write["PutRequest"]["Item"]
    item = item_of(attributes)
    check_item_size(attributes)
    return ItemToPut(item)


def _table_named(name_or_arn: str) -> str:
    name = table_name_of(name_or_arn)
    assert name is not None, "the constraints were checked"
    return name


def _arn_of_both(name: str, tables: Mapping[str, KeysToGet]) -> str:
    """What stands for a table that is read by its name and by its ARN, which DynamoDB answers once: the ARN, so that it
    is checked. Of two ARNs one is not this endpoint's."""
    earlier = next(other for other in tables if other == name)
    if not isinstance(earlier, NameInArn):
        return name
    if isinstance(name, NameInArn):
        raise _requested_twice(name)
    return earlier


def _requested_twice(name: str) -> ValidationError:
    return ValidationError(f"One or more parameter values were invalid: Table {name} is requested twice")
