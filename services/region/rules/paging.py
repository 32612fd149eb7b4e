"""Pages: how many items a Query or Scan looks at before it stops, and what it returns of them.

A page ends at the limit or with the item that brings what was looked at to more than 1 MB: a full page costs a little
more than 1 MB does. An encoded image is never smaller than the item's size, so small pages need no exact sizes; a page
that may become large is measured as it grows, never in one go.
"""

from collections.abc import Iterable

from services.region.expressions.conditions import Condition
from services.region.expressions.projections import Projection
from services.region.rules.capacity import image_size_bytes, read_units
from shared.limits import page_bytes_max
from shared.model.values import decode_item, encode_item

_unmeasured_bytes_max = page_bytes_max // 8


class PageBuilder:
    """Takes images in order until the page is full."""

    def __init__(
        self, *, condition: Condition | None, projection: Projection | None, limit: int | None, count_only: bool
    ) -> None:
        self.images: list[bytes] = []
        self.last_image = b""
        self.count = 0
        self.scanned_count = 0
        self._full = False
        self._condition = condition
        self._projection = projection
        self._limit = limit
        self._count_only = count_only
        self._image_bytes = 0
        self._exact_bytes: int | None = None
        self._seen: list[bytes] = []

    def is_full(self) -> bool:
        return self._full

    def take_all(self, images: Iterable[bytes]) -> None:
        """Looks at images in order until the page is full."""
        for image in images:
            self._take(image)
            if self._full:
                return

    def capacity_units(self, *, consistent: bool) -> float:
        size_bytes = self._exact_bytes
        if size_bytes is None:
            size_bytes = sum(map(image_size_bytes, self._seen))
        return read_units(size_bytes, consistent=consistent)

    def _take(self, image: bytes) -> None:
        self.scanned_count += 1
        self.last_image = image
        self._measure(image)
        reached = self._limit is not None and self.scanned_count >= self._limit
        self._full = reached or (self._exact_bytes or 0) > page_bytes_max
        self._select(image)

    def _select(self, image: bytes) -> None:
        if self._condition is None and self._projection is None:
            self.count += 1
            if not self._count_only:
                self.images.append(image)
            return
        item = decode_item(image)
        if self._condition is not None and not self._condition.holds(item):
            return
        self.count += 1
        if not self._count_only:
            self.images.append(image if self._projection is None else encode_item(self._projection.of(item)))

    def _measure(self, image: bytes) -> None:
        self._seen.append(image)
        self._image_bytes += len(image)
        if self._exact_bytes is not None:
            self._exact_bytes += image_size_bytes(image)
        elif self._image_bytes > _unmeasured_bytes_max:
            self._exact_bytes = sum(map(image_size_bytes, self._seen))


def rows_wanted(limit: int | None, taken: int, slice_rows_max: int) -> int:
    """How many rows the next slice should read."""
    return slice_rows_max if limit is None else min(slice_rows_max, limit - taken)


def segment_slots(segment: int, total_segments: int, slots: int) -> range:
    """The slots of one segment of a parallel scan; segments are disjoint and cover all slots."""
    return range(-(-segment * slots // total_segments), -(-(segment + 1) * slots // total_segments))
