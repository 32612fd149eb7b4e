"""Consumed capacity as DynamoDB counts it: "Read/write capacity mode" in the Developer Guide.

A write costs one unit for each KB begun of the larger of the old and the new item; a consistent read one unit for each
4 KB begun, an eventually consistent read half of that. In a transaction both cost twice as much, a condition check as
much as a write.
"""

from math import ceil

from shared.model.sizes import item_size_bytes
from shared.model.values import decode_item

_write_unit_bytes = 1024
_read_unit_bytes = 4096


def write_units(*images: bytes | None) -> float:
    """Units of one write, from the images before and after it."""
    return float(
        max(1, *(ceil(image_size_bytes(image) / _write_unit_bytes) for image in images if image is not None), 0)
    )


def read_units(size_bytes: int, *, consistent: bool) -> float:
    units = max(1, ceil(size_bytes / _read_unit_bytes))
    return float(units) if consistent else units / 2


def transaction_write_units(*images: bytes | None) -> float:
    return 2 * write_units(*images)


def transaction_read_units(*images: bytes | None) -> float:
    """Of the largest of the images. An image is never shorter than its item is large."""
    sizes = (image_size_bytes(image) for image in images if image is not None and len(image) > _read_unit_bytes)
    return 2 * read_units(max(sizes, default=0), consistent=True)


def image_size_bytes(image: bytes) -> int:
    return item_size_bytes(decode_item(image))
