"""Indexes as sources of a SELECT: their key, and what they have of what is asked for."""

from collections.abc import Iterable

from services.region.commands.statements import Select
from shared.errors import ValidationError
from shared.model.indexes import SecondaryIndex
from shared.model.keys import KeySchema

_invalid = "One or more parameter values were invalid: "


def index_key(index: SecondaryIndex) -> KeySchema:
    if len(index.partition) > 1 or len(index.sort) > 1:
        raise ValidationError(
            "PartiQL statements cannot be executed on tables with multi-attribute HASH keys or multi-attribute RANGE"
            " keys."
        )
    return KeySchema(index.partition[0], index.sort[0] if index.sort else None)


def check_projected(select: Select, index: SecondaryIndex) -> None:
    """A global index has nothing but what it projects."""
    projected = index.projected
    if projected is None:
        return
    missing = [name for name in _columns(select) if name not in projected]
    if index.is_global and missing:
        raise ValidationError(f"{_invalid}Global secondary index {index.name} does not project [{', '.join(missing)}]")


def reads_whole_items(select: Select, index: SecondaryIndex) -> bool:
    """Whether the items themselves must be read; they stand beside the entries of a local index."""
    projected = index.projected
    return not index.is_global and projected is not None and any(name not in projected for name in _columns(select))


def _columns(select: Select) -> Iterable[str]:
    return (str(column.path.steps[0]) for column in select.columns)
