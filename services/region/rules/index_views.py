"""What a Query or Scan shows of items that it finds through an index: what that holds, or from the table all of them.

A local index gives what it lacks from the table, at the price of a read of each item; a global one refuses. A filter by
what an index lacks is refused of a Query; to a Scan, and to what filters freely, these attributes are missing.
"""

from collections.abc import Iterable

from services.region.commands.queries import Query, Scan
from services.region.rules.capacity import image_size_bytes, read_units
from services.region.rules.indexes import projected
from services.region.rules.paging import PageBuilder
from shared.errors import ValidationError
from shared.model.indexes import SecondaryIndex
from shared.model.values import decode_item, encode_item


class IndexView:
    """A page that is built from the items of an index's entries."""

    def __init__(self, index: SecondaryIndex, command: Query | Scan) -> None:
        """Raises `ValidationError` when the request needs of the index what it does not hold."""
        self.index = index
        self._held = index.projected
        self._fetches = self._needs_table(command)
        if isinstance(command, Query) and command.filter is not None:
            missing = self._missing(command.filter.paths)
            if missing and not self._fetches and not command.filters_freely:
                raise not_projected(index, missing)
        self._fetched_units = 0.0
        self._index_bytes = 0
        self._measures_fetches = self._fetches and command.return_consumed_capacity != "NONE"
        self.page = PageBuilder(
            condition=command.filter,
            projection=command.projection,
            limit=command.limit,
            count_only=command.count_only,
        )

    def take(self, image: bytes) -> None:
        """Looks at the item of the next entry."""
        shown = image
        if self._held is not None and not self._fetches:
            shown = encode_item(projected(decode_item(image), self._held))
        self.page.take_all((shown,))
        if self._measures_fetches:
            self._fetched_units += read_units(image_size_bytes(image), consistent=True)
            self._index_bytes += image_size_bytes(encode_item(projected(decode_item(image), self._held)))

    def capacity_units(self, *, consistent: bool) -> tuple[float, float]:
        """What was read of the table, and of the index."""
        if self._fetches:
            fetched = self._fetched_units if consistent else self._fetched_units / 2
            return fetched, read_units(self._index_bytes, consistent=consistent)
        return 0.0, self.page.capacity_units(consistent=consistent)

    def _needs_table(self, command: Query | Scan) -> bool:
        if self._held is None:
            return False
        missing = () if command.projection is None else self._missing(command.projection.paths)
        if not self.index.is_global:
            return command.all_attributes or bool(missing)
        if command.all_attributes:
            raise ValidationError(
                f"{_invalid}Select type ALL_ATTRIBUTES is not supported for global secondary index {self.index.name}"
                " because its projection type is not ALL"
            )
        if missing:
            raise ValidationError(
                f"{_invalid}Global secondary index {self.index.name} does not project [{', '.join(missing)}]"
            )
        return False

    def _missing(self, names: tuple[str, ...]) -> list[str]:
        held = self._held
        return [] if held is None else [name for name in dict.fromkeys(names) if name not in held]


def not_projected(index: SecondaryIndex, names: Iterable[str]) -> ValidationError:
    return ValidationError(
        f"{_invalid}Secondary index {index.name} does not project one or more filter attributes: [{', '.join(names)}]"
    )


_invalid = "One or more parameter values were invalid: "
