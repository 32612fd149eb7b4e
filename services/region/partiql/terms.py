"""What the terms of a condition ask of single attributes, for those that compare one with given values."""

from collections.abc import Iterator, Sequence

from services.region.expressions.key_conditions import KeyComparison
from services.region.expressions.nodes import (
    Between,
    Call,
    Comparison,
    Conjunction,
    Disjunction,
    Literal,
    Membership,
    Negation,
    Operand,
    Path,
    Predicate,
    ValuePlaceholder,
)
from services.region.expressions.substitutions import Substitutions
from shared.model.values import AttributeValue

_mirrored = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def conjuncts(where: Predicate | None) -> list[Predicate]:
    """The conditions all of which must hold, inner conjunctions taken apart."""
    if where is None:
        return []
    if isinstance(where, Conjunction):
        return [inner for term in where.terms for inner in conjuncts(term)]
    return [where]


def joined(terms: Sequence[Predicate]) -> Predicate | None:
    if not terms:
        return None
    return terms[0] if len(terms) == 1 else Conjunction(tuple(terms))


def comparison_of(term: Predicate, values: Substitutions) -> KeyComparison | None:
    """What a term asks of one attribute of the item, if it asks just that; IN has any number of values."""
    match term:
        case Comparison(operator, left, right) if operator in _mirrored:
            if isinstance(left, Path):
                return _compared(operator, left, (right,), values)
            return _compared(_mirrored[operator], right, (left,), values)
        case Between(operand, low, high):
            return _compared("BETWEEN", operand, (low, high), values)
        case Call("begins_with", (operand, prefix)):
            return _compared("begins_with", operand, (prefix,), values)
        case Membership(operand, candidates):
            return _compared("IN", operand, candidates, values)
        case _:
            return None


def names_in(node: Predicate | Operand) -> Iterator[str]:
    """The attributes that a condition looks at, in its order, each as often as it does."""
    match node:
        case Path(steps):
            yield str(steps[0])
        case Conjunction(terms) | Disjunction(terms) | Call(_, terms):
            for term in terms:
                yield from names_in(term)
        case Negation(term):
            yield from names_in(term)
        case Comparison(_, left, right):
            yield from names_in(left)
            yield from names_in(right)
        case Between(operand, low, high):
            for each in (operand, low, high):
                yield from names_in(each)
        case Membership(operand, candidates):
            for each in (operand, *candidates):
                yield from names_in(each)
        case _:
            pass


def _compared(
    operator: str, subject: Operand, operands: Sequence[Operand], values: Substitutions
) -> KeyComparison | None:
    if not isinstance(subject, Path) or len(subject.steps) > 1:
        return None
    compared: list[AttributeValue] = []
    for operand in operands:
        if isinstance(operand, Literal):
            compared.append(operand.value)
        elif isinstance(operand, ValuePlaceholder):
            compared.append(values.value_of(operand.text))
        else:
            return None
    return KeyComparison(str(subject.steps[0]), operator, tuple(compared))
