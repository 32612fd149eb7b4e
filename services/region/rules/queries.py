"""What a Query or Scan is refused for once its table or index is known."""

from collections.abc import Collection, Iterable

from services.region.commands.queries import Query, Scan
from services.region.expressions.conditions import Condition
from services.region.expressions.projections import Projection
from services.region.rules.indexes import check_index_key_paths
from services.region.rules.keys import check_key_paths
from shared.errors import ValidationError
from shared.model.indexes import SecondaryIndex
from shared.model.keys import KeySchema


def check_paths(schema: KeySchema, indexes: Iterable[SecondaryIndex], expression: Projection | Condition) -> None:
    """No expression may look into a key attribute."""
    check_key_paths(schema, expression.nested)
    check_index_key_paths(indexes, expression.nested)


def check_filter(condition: Condition, query: Query, key_names: Collection[str]) -> None:
    """The filter of a Query may not name the keys of what is read; a statement's may."""
    if not query.filters_freely:
        for name in condition.paths:
            if name in key_names:
                raise ValidationError(
                    f"{query.filter_name} can only contain non-primary key attributes: Primary key attribute: {name}"
                )


def check_start_in_segment(scan: Scan, slot: int, segment: range) -> None:
    """A segment of a parallel Scan goes on from a key of its own."""
    if slot not in segment:
        raise ValidationError(
            "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with"
            f" correct Segment. TotalSegments: {scan.total_segments} Segment: {scan.segment}"
        )
