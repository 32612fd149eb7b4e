"""Indexes as sources of a SELECT: their key, and what they have of what is asked for."""

from collections.abc import Iterable, Iterator

from services.region.commands.statements import Select
from services.region.expressions.nodes import (
    Between,
    Call,
    Comparison,
    Membership,
    Negation,
    Operand,
    Path,
    Predicate,
)
from services.region.expressions.substitutions import Substitutions
from services.region.partiql.terms import comparison_of, conjuncts
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


def check_projected(select: Select, index: SecondaryIndex, values: Substitutions) -> None:
    """A global index has nothing but what it projects; an index that is read by its key can't filter by more."""
    projected = index.projected
    if projected is None:
        return
    missing = [name for name in _columns(select) if name not in projected]
    if index.is_global and missing:
        raise ValidationError(f"{_invalid}Global secondary index {index.name} does not project [{', '.join(missing)}]")
    terms = conjuncts(select.where)
    if any(
        (comparison := comparison_of(term, values)) is not None and comparison.name in index.key_names for term in terms
    ):
        filtered = dict.fromkeys(name for term in terms for name in _filtered(term) if name not in projected)
        if filtered:
            raise ValidationError(
                f"{_invalid}Secondary index {index.name} does not project one or more filter attributes:"
                f" [{', '.join(filtered)}]"
            )


def reads_whole_items(select: Select, index: SecondaryIndex) -> bool:
    """Whether the items themselves must be read; they stand beside the entries of a local index."""
    projected = index.projected
    return not index.is_global and projected is not None and any(name not in projected for name in _columns(select))


def _columns(select: Select) -> Iterable[str]:
    return (str(column.path.steps[0]) for column in select.columns)


def _filtered(term: Predicate) -> Iterator[str]:
    match term:
        case Negation(inner):
            yield from _filtered(inner)
        case Comparison(_, left, right):
            yield from _named((left, right))
        case Between(operand) | Membership(operand):
            yield from _named((operand,))
        case Call(_, operands):
            yield from _named(operands)


def _named(operands: Iterable[Operand]) -> Iterator[str]:
    for operand in operands:
        if isinstance(operand, Path):
            yield str(operand.steps[0])
        elif isinstance(operand, Call):
            yield from _named(operand.operands)
