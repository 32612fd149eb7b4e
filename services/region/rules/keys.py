"""Keys against a table's key schema: where an item or a key of a request lives, or DynamoDB's refusal."""

from collections.abc import Collection

from shared.errors import ValidationError
from shared.limits import partition_key_bytes_max, sort_key_bytes_max
from shared.model.keys import ItemKey, KeyAttribute, KeySchema, key_bytes, slot_of
from shared.model.values import Item, type_of


class KeySizeError(ValidationError):
    """A key has more bytes than there may be."""


class KeyUpdateError(ValidationError):
    """No update may change the key of its item."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"One or more parameter values were invalid: Cannot update attribute {name}."
            " This attribute is part of the key"
        )


class KeyMismatchError(ValidationError):
    """A key that a request names is not what the schema asks for."""

    def __init__(self) -> None:
        super().__init__("The provided key element does not match the schema")


def key_of_item(schema: KeySchema, item: Item) -> ItemKey:
    """The key of an item that is to be put; its key attributes must be there with the schema's types."""
    partition = _item_key_bytes(schema.partition, item)
    sort = b"" if schema.sort is None else _item_key_bytes(schema.sort, item)
    check_lengths(partition, sort)
    return ItemKey(slot_of(partition), partition, sort)


def key_of_batched_item(schema: KeySchema, item: Item) -> ItemKey:
    """As `key_of_item`, in the words that a batch of writes has for a key that is not there or of another type."""
    partition = _request_key_bytes(schema.partition, item)
    sort = b"" if schema.sort is None else _request_key_bytes(schema.sort, item)
    check_lengths(partition, sort)
    return ItemKey(slot_of(partition), partition, sort)


def key_of_request(schema: KeySchema, key: Item) -> ItemKey:
    """The key that a request names; it must hold exactly the key attributes."""
    if len(key) != (1 if schema.sort is None else 2):
        raise KeyMismatchError
    partition = _request_key_bytes(schema.partition, key)
    sort = b"" if schema.sort is None else _request_key_bytes(schema.sort, key)
    check_lengths(partition, sort)
    return ItemKey(slot_of(partition), partition, sort)


def check_key_values(schema: KeySchema, attributes: Item) -> None:
    """No key attribute of an item or key may be empty; whether they are there, and of their types, is not asked."""
    for attribute in (schema.partition, schema.sort):
        value = None if attribute is None else attributes.get(attribute.name)
        if attribute is not None and value is not None and value.get(attribute.type) == "":
            raise _empty(attribute, attribute.type)


def check_key_attribute(attribute: KeyAttribute, key: Item) -> None:
    """One attribute of a key that a request names."""
    value = _request_key_bytes(attribute, key)
    check_lengths(value, b"")


def check_key_paths(schema: KeySchema, nested: Collection[str]) -> None:
    """No expression may look into a key attribute; `nested` are the attributes that it looks into."""
    for name in schema.names:
        if name in nested:
            raise ValidationError(
                "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: "
                f"Key: {name}"
            )


def _item_key_bytes(attribute: KeyAttribute, item: Item) -> bytes:
    value = item.get(attribute.name)
    if value is None:
        raise ValidationError(
            f"One or more parameter values were invalid: Missing the key {attribute.name} in the item"
        )
    kind = type_of(value)
    if kind != attribute.type:
        raise ValidationError(
            f"One or more parameter values were invalid: Type mismatch for key {attribute.name}"
            f" expected: {attribute.type} actual: {kind}"
        )
    if not value[kind]:
        raise _empty(attribute, kind)
    return key_bytes(value)


def _request_key_bytes(attribute: KeyAttribute, key: Item) -> bytes:
    value = key.get(attribute.name)
    if value is None or type_of(value) != attribute.type:
        raise KeyMismatchError
    if not value[attribute.type]:
        raise _empty(attribute, attribute.type)
    return key_bytes(value)


def _empty(attribute: KeyAttribute, kind: str) -> ValidationError:
    word = "string" if kind == "S" else "binary"
    return ValidationError(
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty"
        f" {word} value. Key: {attribute.name}"
    )


def check_lengths(partition: bytes, sort: bytes) -> None:
    if len(partition) > partition_key_bytes_max:
        raise KeySizeError(
            "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of"
            f"{partition_key_bytes_max} bytes"  # the service leaves no space here
        )
    if len(sort) > sort_key_bytes_max:
        raise KeySizeError(
            "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit"
            f" of {sort_key_bytes_max} bytes"
        )
