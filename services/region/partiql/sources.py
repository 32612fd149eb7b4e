"""Indexes as sources of a SELECT: their key, and what they have of what is asked for."""

from collections.abc import Iterable

from services.region.commands.statements import Select
from services.region.partiql.planner import Read
from services.region.partiql.terms import names_in
from shared.errors import ValidationError
from shared.model.indexes import SecondaryIndex
from shared.model.keys import KeySchema, key_bytes

_buckets = 16
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


def lacking(reads: Iterable[Read], index: SecondaryIndex) -> list[str]:
    """What reads judge that the index lacks, if each of them does so: of the one with the greatest partition key.

    The order of the names is that of a small hash set of the service's Java.
    """
    missing: list[str] = []
    for read in sorted(reads, key=lambda each: key_bytes(each.collection[0].values[0])):
        names = () if read.filter is None else names_in(read.filter)
        missing = [name for name in dict.fromkeys(names) if index.projected is not None and name not in index.projected]
        if not missing:
            return []
    return sorted(missing, key=lambda name: _hash(name) % _buckets)


def reads_whole_items(select: Select, index: SecondaryIndex) -> bool:
    """Whether the items themselves must be read; they stand beside the entries of a local index."""
    projected = index.projected
    return not index.is_global and projected is not None and any(name not in projected for name in _columns(select))


def _hash(text: str) -> int:
    number = 0
    codes = text.encode("utf-16-le")
    for at in range(0, len(codes), 2):
        number = (31 * number + int.from_bytes(codes[at : at + 2], "little")) % 2**32
    return number ^ (number >> 16)


def _columns(select: Select) -> Iterable[str]:
    return (str(column.path.steps[0]) for column in select.columns)
