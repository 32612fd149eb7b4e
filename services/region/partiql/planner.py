"""How a statement is carried out, once the key of its table or index is known.

A SELECT whose condition names the partition key by equality or IN reads the collections with these keys, any other one
looks at everything. A write names one item by its whole key. Source: the Developer Guide's pages on PartiQL statements.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from services.region.commands.statements import OrderTerm, Select
from services.region.expressions.key_conditions import KeyComparison
from services.region.expressions.nodes import Predicate
from services.region.expressions.substitutions import Substitutions
from services.region.partiql.problems import incomplete_key, wrong_key_type
from services.region.partiql.terms import comparison_of, conjuncts, joined
from shared.errors import ValidationError
from shared.limits import in_operands_max, statement_key_values_max
from shared.model.keys import KeyAttribute, KeySchema, key_bytes
from shared.model.values import AttributeValue, Item, type_of

_sort_operators = frozenset({"=", "<", "<=", ">", ">=", "BETWEEN", "begins_with", "IN"})

Collection = tuple[KeyComparison, ...]  # of the partition key, and perhaps of the sort key


@dataclass(frozen=True, slots=True)
class SelectPlan:
    """Collections to read one after the other, or (None) everything."""

    collections: tuple[Collection, ...] | None
    filter: Predicate | None
    forward: bool = True


def plan_select(select: Select, key: KeySchema, values: Substitutions) -> SelectPlan:
    """`key` is that of the table or the index that is read; raises a `ValidationError`."""
    terms = conjuncts(select.where)
    partition = _named(terms, key.partition, values, ("=", "IN"))
    partitions = [] if partition is None else _distinct(partition[1].values, key.partition)
    if select.order:
        _check_order(select, key, len(partitions))
    if partition is None:
        return SelectPlan(None, select.where)
    if len(partitions) > statement_key_values_max:
        raise ValidationError(
            f"The IN operator is provided with too many operands; number of operands: {len(partitions)}"
        )
    used = [partition[0]]
    sorts: list[KeyComparison | None] = [None]
    if key.sort is not None and (sort := _sort_condition(terms, key.sort, values)) is not None:
        used.append(sort[0])
        sorts = list(_alternatives(sort[1], key.sort))
    directions = {term.name: term.descending for term in select.order}
    forward = _is_forward(select.order, key)
    if key.partition.name in directions:
        partitions.sort(key=key_bytes, reverse=directions[key.partition.name])
    if select.order and len(sorts) > 1:
        sorts.sort(key=lambda each: key_bytes(each.values[0]) if each else b"", reverse=not forward)
    collections = tuple(
        (KeyComparison(key.partition.name, "=", (value,)), *([] if each is None else [each]))
        for value, each in product(partitions, sorts)
    )
    return SelectPlan(collections, joined([term for term in terms if term not in used]), forward)


def plan_write(where: Predicate | None, schema: KeySchema, values: Substitutions) -> tuple[Item, Predicate | None]:
    """The key of the one item that a condition names, and what else the condition says."""
    attributes = {attribute.name: attribute for attribute in _attributes(schema)}
    key: Item = {}
    rest = []
    for term in conjuncts(where):
        comparison = comparison_of(term, values)
        names_key = comparison is not None and comparison.operator == "=" and comparison.name in attributes
        if comparison is None or not names_key or comparison.name in key:
            rest.append(term)
        else:
            key[comparison.name] = _checked(comparison.values[0], attributes[comparison.name])
    if len(key) < len(attributes):
        raise ValidationError(incomplete_key)
    return schema.key_of(key), joined(rest)


def plan_point_read(where: Predicate | None, schema: KeySchema, values: Substitutions) -> Item | None:
    """The key of the one item that a condition names, if it says nothing else; an IN may have a single value."""
    attributes = {attribute.name: attribute for attribute in _attributes(schema)}
    key: Item = {}
    for term in conjuncts(where):
        comparison = comparison_of(term, values)
        if comparison is None or comparison.operator not in ("=", "IN") or len(comparison.values) != 1:
            return None
        if comparison.name not in attributes or comparison.name in key:
            return None
        key[comparison.name] = _checked(comparison.values[0], attributes[comparison.name])
    return schema.key_of(key) if len(key) == len(attributes) else None


def _attributes(schema: KeySchema) -> Sequence[KeyAttribute]:
    return [schema.partition] if schema.sort is None else [schema.partition, schema.sort]


def _named(
    terms: Sequence[Predicate], attribute: KeyAttribute, values: Substitutions, operators: Sequence[str]
) -> tuple[Predicate, KeyComparison] | None:
    """The first term that compares an attribute by one of these operators."""
    for term in terms:
        comparison = comparison_of(term, values)
        if comparison is not None and comparison.name == attribute.name and comparison.operator in operators:
            for value in comparison.values:
                _checked(value, attribute)
            return term, comparison
    return None


def _sort_condition(
    terms: Sequence[Predicate], attribute: KeyAttribute, values: Substitutions
) -> tuple[Predicate, KeyComparison] | None:
    found = [
        (term, comparison)
        for term in terms
        if (comparison := comparison_of(term, values)) is not None
        and comparison.name == attribute.name
        and comparison.operator in _sort_operators
    ]
    if not found:
        return None
    if len(found) > 1:
        raise ValidationError("Overlapping conditions with range keys are not supported in where clause")
    for value in found[0][1].values:
        _checked(value, attribute)
    return found[0]


def _alternatives(comparison: KeyComparison, attribute: KeyAttribute) -> Sequence[KeyComparison]:
    if comparison.operator != "IN":
        return [comparison]
    if len(comparison.values) > in_operands_max:
        raise ValidationError(
            f"The IN operator is provided with too many operands; number of operands: {len(comparison.values)}"
        )
    return [KeyComparison(attribute.name, "=", (value,)) for value in _distinct(comparison.values, attribute)]


def _distinct(values: Sequence[AttributeValue], attribute: KeyAttribute) -> list[AttributeValue]:
    distinct: dict[bytes, AttributeValue] = {}
    for value in values:
        distinct.setdefault(key_bytes(_checked(value, attribute)), value)
    return list(distinct.values())


def _checked(value: AttributeValue, attribute: KeyAttribute) -> AttributeValue:
    if type_of(value) != attribute.type:
        raise ValidationError(wrong_key_type)
    return value


def _check_order(select: Select, key: KeySchema, partitions: int) -> None:
    if select.where is None:
        raise ValidationError("Must have WHERE clause in the statement when using ORDER BY clause.")
    for term in select.order:
        if term.name not in key.names:
            raise ValidationError(f"Attribute {term.name} in ORDER BY clause must be part of the primary key")
    if not partitions:
        raise ValidationError(
            "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause."
        )
    if partitions > 1 and all(term.name != key.partition.name for term in select.order):
        raise ValidationError(
            "Must have hash key in ORDER BY clause when more than one hash key condition specified in WHERE clause."
        )


def _is_forward(order: Sequence[OrderTerm], key: KeySchema) -> bool:
    """Without ORDER BY the sort key ascends; with one that does not name it, it descends, as observed."""
    if not order:
        return True
    descending = [term.descending for term in order if key.sort is not None and term.name == key.sort.name]
    return bool(descending) and not descending[0]
