"""Key conditions bound to a request: which part of an index a Query reads.

A KeyConditionExpression is a condition in its grammar and its operand checks. What it may say beyond that is judged in
two steps, because DynamoDB tells other errors of the request in between: its form (`comparisons`), and how it fits an
index's key (`range_for`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from services.region.expressions.condition_parser import parse_condition
from services.region.expressions.conditions import condition_from
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
from services.region.expressions.operands import Binder
from services.region.expressions.problems import ExpressionProblem
from services.region.expressions.substitutions import Substitutions
from shared.errors import ValidationError
from shared.model.values import AttributeValue, type_of

_parameter = "KeyConditionExpression"


@dataclass(frozen=True, slots=True)
class KeyComparison:
    """What is asked of one attribute: BETWEEN has two values (both included), every other operator one."""

    name: str
    operator: str  # = < <= > >= BETWEEN begins_with, or one that no range has, which is refused later
    values: tuple[AttributeValue, ...]


@dataclass(frozen=True, slots=True)
class KeyRange:
    """The items of one partition key, of which those that `sort` describes; None is all of them."""

    partition: AttributeValue
    sort: KeyComparison | None


@dataclass(frozen=True, slots=True)
class CompositeKeyRange:
    """A value for every attribute of a partition key; comparisons of the sort key's first attributes, all but the last
    of them by equality."""

    partition: tuple[AttributeValue, ...]
    sort: tuple[KeyComparison, ...]


class KeyCondition:
    """`comparisons` raises what DynamoDB tells before it looks for the table, `range_for` what it tells after."""

    __slots__ = ("_comparisons", "_judge")

    def __init__(self, judge: Callable[[], tuple[KeyComparison, ...]]) -> None:
        self._judge = judge
        self._comparisons: tuple[KeyComparison, ...] = ()

    def comparisons(self) -> tuple[KeyComparison, ...]:
        """One comparison for each attribute that is named, in the order in which they are written."""
        self._comparisons = self._comparisons or self._judge()
        return self._comparisons

    def range_for(
        self,
        partition_key_name: str,
        sort_key_name: str | None,
        types: Mapping[str, str],
        *,
        check_start: Callable[[str], None] | None = None,
    ) -> KeyRange:
        """The range of the index with these key attributes; `types` has their types ("S", "N" or "B") by name.

        `check_start` judges the same attribute of the key that a page starts after, which goes before its condition.
        """
        comparisons = {comparison.name: comparison for comparison in self.comparisons()}
        key_names = [partition_key_name] if sort_key_name is None else [partition_key_name, sort_key_name]
        for name in key_names:
            if check_start is not None:
                check_start(name)
            if name == partition_key_name and len(comparisons) > len(key_names):
                raise ValidationError(
                    f"The number of query conditions ({len(comparisons)}) exceeds the number of key attributes "
                    f"defined in the schema ({len(key_names)})"
                )
            if name in comparisons:
                _check_comparison(comparisons[name], types[name])
            elif name == partition_key_name or len(comparisons) > 1:
                raise ValidationError(f"Query condition missed key schema element: {name}")
            if name == partition_key_name and comparisons[name].operator != "=":
                raise ValidationError("Query key condition not supported")
        sort = None if sort_key_name is None else comparisons.get(sort_key_name)
        return KeyRange(comparisons[partition_key_name].values[0], sort)

    def composite_range_for(
        self,
        partition_names: Sequence[str],
        sort_names: Sequence[str],
        types: Mapping[str, str],
        *,
        check_start: Callable[[str], None] | None = None,
    ) -> CompositeKeyRange:
        """As `range_for`, of an index whose keys may have several attributes."""
        if len(partition_names) == 1 and len(sort_names) <= 1:
            sort_name = sort_names[0] if sort_names else None
            key_range = self.range_for(partition_names[0], sort_name, types, check_start=check_start)
            return CompositeKeyRange((key_range.partition,), () if key_range.sort is None else (key_range.sort,))
        comparisons = {comparison.name: comparison for comparison in self.comparisons()}
        key_names = [*partition_names, *sort_names]
        if len(comparisons) > len(key_names):
            raise ValidationError(
                f"The number of query conditions ({len(comparisons)}) exceeds the number of key attributes "
                f"defined in the schema ({len(key_names)})"
            )
        for name in key_names:
            if check_start is not None:
                check_start(name)
            if name in comparisons:
                _check_comparison(comparisons[name], types[name])
        _check_composite(comparisons, partition_names, sort_names)
        if not comparisons.keys() <= set(key_names):
            missed = next(name for name in sort_names if name not in comparisons)
            raise ValidationError(f"Query condition missed key schema element: {missed}")
        values = tuple(comparisons[name].values[0] for name in partition_names)
        return CompositeKeyRange(values, tuple(comparisons[name] for name in sort_names if name in comparisons))


def _check_composite(
    comparisons: Mapping[str, KeyComparison], partition_names: Sequence[str], sort_names: Sequence[str]
) -> None:
    """By equality must be given all of a partition, and what is before the last one of a sort key."""

    def others(names: Sequence[str]) -> str:
        return ", ".join(name for name in names if name not in comparisons or comparisons[name].operator != "=")

    equality = "must have equality conditions specified in the query"
    if unequal := others(partition_names):
        raise ValidationError(f"HASH key attributes {unequal} {equality}")
    last = max((at for at, name in enumerate(sort_names) if name in comparisons), default=0)
    if unequal := others(sort_names[:last]):
        raise ValidationError(
            f"RANGE key attributes {unequal} {equality} because a condition is present on key attribute"
            f" {sort_names[last]}"
        )


def bind_key_condition(text: str, substitutions: Substitutions) -> KeyCondition:
    """Raises what DynamoDB tells of the expression as a condition; its rules as a key condition come later."""
    try:
        predicate = parse_condition(text)
        condition_from(predicate, substitutions)
    except ExpressionProblem as problem:
        raise problem.of(_parameter) from None
    return KeyCondition(partial(_judged, predicate, substitutions))


def _judged(predicate: Predicate, substitutions: Substitutions) -> tuple[KeyComparison, ...]:
    found: dict[str, KeyComparison] = {}
    binder = Binder(substitutions)
    for term in _terms(predicate):
        comparison = _comparison(term, binder)
        if comparison.name in found:
            problem = ExpressionProblem("KeyConditionExpressions must only contain one condition per key")
            raise problem.of(_parameter)
        found[comparison.name] = comparison
    return tuple(found.values())


def _terms(predicate: Predicate) -> Iterator[Comparison | Between | Call]:
    """The comparisons that AND joins; nothing else may join them."""
    match predicate:
        case Conjunction(terms):
            for term in terms:
                yield from _terms(term)
        case Disjunction():
            raise _invalid_operator("OR")
        case Negation():
            raise _invalid_operator("NOT")
        case Membership():
            raise _invalid_operator("IN")
        case Comparison("<>"):
            raise _invalid_operator("<>")
        case Call(function) if function != "begins_with":
            raise _invalid_operator(function)
        case _:
            yield predicate


def _comparison(term: Comparison | Between | Call, binder: Binder) -> KeyComparison:
    if isinstance(term, Comparison):
        name, values = _name_and_values((term.left, term.right), binder)
        operator = term.operator if isinstance(term.left, Path) else _mirrored[term.operator]
        return KeyComparison(name, operator, values)
    operator = "BETWEEN" if isinstance(term, Between) else term.function
    operands = (term.operand, term.low, term.high) if isinstance(term, Between) else term.operands
    if not isinstance(operands[0], Path):
        raise _invalid_condition(f"{operator} operator must have the key attribute as its first operand")
    name, values = _name_and_values(operands, binder)
    return KeyComparison(name, operator, values)


def _name_and_values(operands: tuple[Operand, ...], binder: Binder) -> tuple[str, tuple[AttributeValue, ...]]:
    name = None
    values = []
    for operand in operands:
        if isinstance(operand, Call):
            raise ValidationError("KeyConditionExpressions cannot contain nested operations")
        if isinstance(operand, ValuePlaceholder | Literal):
            values.append(binder.value(operand))
            continue
        if name is not None:
            raise _invalid_condition("Multiple attribute names used in one condition")
        path = binder.path(operand)
        if len(path) > 1:
            problem = ExpressionProblem("KeyConditionExpressions cannot have conditions on nested attributes")
            raise problem.of(_parameter)
        name = str(path[0])
    if name is None:
        raise _invalid_condition("No key attribute specified")
    return name, tuple(values)


def _check_comparison(comparison: KeyComparison, kind: str) -> None:
    if comparison.operator not in _range_operators:
        raise ValidationError("Attempted conditional constraint is not an indexable operation")
    if any(type_of(value) != kind for value in comparison.values):
        raise ValidationError(
            "One or more parameter values were invalid: Condition parameter type does not match schema type"
        )
    if kind != "N" and any(not value[kind] for value in comparison.values):
        raise ValidationError(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
            f"empty {'string' if kind == 'S' else 'binary'} value. Key: {comparison.name}"
        )


def _invalid_operator(operator: str) -> ValidationError:
    return ValidationError(f"Invalid operator used in KeyConditionExpression: {operator}")


def _invalid_condition(reason: str) -> ValidationError:
    return ValidationError(f"Invalid condition in KeyConditionExpression: {reason}")


_range_operators = frozenset({"=", "<", "<=", ">", ">=", "BETWEEN", "begins_with"})
_mirrored = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
