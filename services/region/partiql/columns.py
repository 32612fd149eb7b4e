"""The columns of a SELECT, read from an item: each value under the last name of its path."""

from collections.abc import Callable, Sequence

from services.region.commands.statements import Column
from services.region.expressions.operands import value_at
from shared.model.values import Item, decode_item, encode_item


def selector(columns: Sequence[Column]) -> Callable[[bytes], bytes]:
    """A function from an encoded item to what is selected of it, encoded."""
    if not columns:
        return _everything
    paths = [
        (column.name, tuple(step for step in column.path.steps if isinstance(step, str | int))) for column in columns
    ]

    def select(image: bytes) -> bytes:
        item = decode_item(image)
        selected: Item = {}
        for name, path in paths:
            value = value_at(item, path)
            if value is not None:
                selected[name] = value
        return encode_item(selected)

    return select


def _everything(image: bytes) -> bytes:
    return image
