"""What an item means to a secondary index: its entry there, the attributes that the index shows of it, its size.

An item that lacks a key attribute of an index has no entry. Writes of clients are refused when a key attribute has a
type or a size that the index can't take; what came before the index, or from another region, is left out of it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from shared.errors import ValidationError
from shared.limits import item_bytes_max, partition_key_bytes_max, sort_key_bytes_max
from shared.model.indexes import SecondaryIndex
from shared.model.keys import KeyAttribute, joined_key_bytes, key_bytes
from shared.model.sizes import item_size_bytes
from shared.model.values import AttributeValue, Item, type_of


class IndexKey(NamedTuple):
    """Where an entry stands in its index: partition key and sort key, the latter empty if there is none."""

    partition: bytes
    sort: bytes


def index_key(index: SecondaryIndex, item: Item) -> IndexKey | None:
    """The place of an item's entry; None when it has none."""
    partition = _key_of(index.partition, item, bytes_max=partition_key_bytes_max)
    if partition is None:
        return None
    sort = _key_of(index.sort, item, bytes_max=sort_key_bytes_max) if index.sort else b""
    return None if sort is None else IndexKey(partition, sort)


def composite_key(keys: Sequence[bytes]) -> bytes:
    """The key bytes of one or several attributes as one key."""
    return keys[0] if len(keys) == 1 else joined_key_bytes(keys)


def projected(item: Item, names: Collection[str] | None) -> Item:
    """What an index that holds these attributes shows of an item."""
    return item if names is None else {name: value for name, value in item.items() if name in names}


def projected_size_bytes(item: Item, names: Collection[str] | None) -> int:
    return item_size_bytes(projected(item, names))


def in_order_of_checks(indexes: Iterable[SecondaryIndex]) -> tuple[SecondaryIndex, ...]:
    """As DynamoDB looks at a table's indexes: first the global ones, each kind by name."""
    return tuple(sorted(indexes, key=lambda index: (not index.is_global, index.name)))


def check_index_keys(indexes: Iterable[SecondaryIndex], item: Item) -> None:
    """An item that is to be put must suit every index; `indexes` are in the order of checks."""
    for index in indexes:
        for attribute in index.key_attributes:
            value = item.get(attribute.name)
            if value is not None:
                _check_type(index, attribute, type_of(value))
                if _is_empty(value):
                    raise ValidationError(
                        "One or more parameter values are not valid. A value specified for a secondary index key is"
                        f" not supported. {_not_empty(value)} IndexName: {index.name}, IndexKey: {attribute.name}"
                    )
        _check_sizes(index, item)
    check_size_with_entries(indexes, item, "Item size has exceeded the maximum allowed size")


def check_size_with_entries(indexes: Iterable[SecondaryIndex], item: Item, problem: str) -> None:
    """An item and its entries in local indexes share one bound."""
    local = [index for index in indexes if not index.is_global and index_key(index, item) is not None]
    if local:
        entries_bytes = sum(projected_size_bytes(item, index.projected) for index in local)
        if item_size_bytes(item) + entries_bytes > item_bytes_max:
            raise ValidationError(problem)


def check_assigned_index_keys(indexes: Iterable[SecondaryIndex], types: Mapping[str, str]) -> None:
    """What an update gives attributes is judged before the item is read, where its type is certain."""
    for index in indexes:
        for attribute in index.key_attributes:
            if (kind := types.get(attribute.name)) is not None:
                _check_type(index, attribute, kind)


def check_updated_index_keys(indexes: Iterable[SecondaryIndex], after: Item, written: Collection[str]) -> None:
    """What an update has made of the attributes that it wrote to."""
    for index in indexes:
        for attribute in index.key_attributes:
            value = after.get(attribute.name)
            if value is None or attribute.name not in written:
                continue
            if type_of(value) != attribute.type:
                raise ValidationError(f"{_update} to unsupported type")
            if _is_empty(value):
                raise ValidationError(
                    "One or more parameter values are not valid. The update expression attempted to update a secondary"
                    f" index key to a value that is not supported. {_not_empty(value)}"
                )
            limit = partition_key_bytes_max if attribute in index.partition else sort_key_bytes_max
            if len(key_bytes(value)) > limit:
                raise ValidationError(f"{_update} beyond allowed size limits")


def check_index_key_paths(indexes: Iterable[SecondaryIndex], nested: Collection[str]) -> None:
    """No expression may look into a key attribute of an index; `nested` are the attributes that it looks into."""
    if nested:
        for index in indexes:
            for name in index.key_names:
                if name in nested:
                    raise ValidationError(
                        "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: "
                        f"IndexKey: {name}"
                    )


_invalid = "One or more parameter values were invalid: "
_update = "The update expression attempted to update the secondary index key"


def _key_of(attributes: Sequence[KeyAttribute], item: Item, *, bytes_max: int) -> bytes | None:
    keys = []
    for attribute in attributes:
        value = item.get(attribute.name)
        if value is None or type_of(value) != attribute.type or _is_empty(value):
            return None
        keys.append(key_bytes(value))
    return composite_key(keys) if sum(map(len, keys)) <= bytes_max else None


def _is_empty(value: AttributeValue) -> bool:
    return value.get("S") == "" or value.get("B") == ""


def _not_empty(value: AttributeValue) -> str:
    kind = "string" if "S" in value else "binary"
    return f"The AttributeValue for a key attribute cannot contain an empty {kind} value."


def _check_type(index: SecondaryIndex, attribute: KeyAttribute, kind: str) -> None:
    if kind != attribute.type:
        raise ValidationError(
            f"{_invalid}Type mismatch for Index Key {attribute.name} Expected: {attribute.type} Actual: {kind}"
            f" IndexName: {index.name}"
        )


def _check_sizes(index: SecondaryIndex, item: Item) -> None:
    for attributes, bytes_max in ((index.partition, partition_key_bytes_max), (index.sort, sort_key_bytes_max)):
        size_bytes = 0
        for attribute in attributes:
            if attribute.name in item:
                size_bytes += len(key_bytes(item[attribute.name]))
                if size_bytes > bytes_max:
                    raise ValidationError(
                        f"{_invalid}Size limit exceeded for Index Key {attribute.name} Actual Size: {size_bytes} bytes"
                        f" Max Size: {bytes_max} bytes IndexName: {index.name}"
                    )
