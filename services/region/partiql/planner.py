"""How a statement is carried out, once the key of its table or index is known.

A SELECT whose condition names the partition key in each of its alternatives reads the collections with these keys, any
other one looks at everything. A write names one item by its whole key. Source: the Developer Guide's pages on PartiQL
statements, and DynamoDB's answers.
"""

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

from services.region.commands.statements import OrderTerm, Select
from services.region.expressions.key_conditions import KeyComparison
from services.region.expressions.nodes import Predicate
from services.region.expressions.substitutions import Substitutions
from services.region.partiql.branches import Branch, branches_of, may_overlap
from services.region.partiql.problems import UnfitKeyError, incomplete_key, wrong_key_type
from services.region.partiql.terms import comparison_of, conjuncts, joined
from shared.errors import ValidationError
from shared.model.keys import KeyAttribute, KeySchema, key_bytes
from shared.model.values import AttributeValue, Item, type_of

Collection = tuple[KeyComparison, ...]  # of the partition key, and perhaps of the sort key


class Read(NamedTuple):
    """One collection, and what else its items must be."""

    collection: Collection
    filter: Predicate | None


@dataclass(frozen=True, slots=True)
class SelectPlan:
    """Collections to read one after the other, or (None) everything that the condition holds of."""

    reads: tuple[Read, ...] | None
    forward: bool = True


def plan_select(select: Select, key: KeySchema, values: Substitutions) -> SelectPlan:
    """`key` is that of the table or the index that is read; raises a `ValidationError`."""
    _check_order_terms(select, key)
    branches = branches_of(select.where, key, values)
    if select.order:
        _check_order(select, key, {each.partition_bytes for each in branches or () if not each.is_contradictory})
    if branches is None:
        return SelectPlan(None)
    forward = _is_forward(select.order, key)
    directions = {term.name: term.descending for term in select.order}
    if select.order:
        branches.sort(key=lambda branch: branch.range().first, reverse=not forward)
    if key.partition.name in directions:
        branches.sort(key=lambda branch: branch.partition_bytes, reverse=directions[key.partition.name])
    return SelectPlan(tuple(_reads(branches, select.where, key)), forward)


def plan_write(
    where: Predicate | None, schema: KeySchema, values: Substitutions, *, one_value: bool = True
) -> tuple[Item, Predicate | None]:
    """The key of the one item that a condition names, and what else the condition says.

    `one_value`: no attribute of the key may be said to be two things; else the first one counts.
    """
    attributes = {attribute.name: attribute for attribute in _attributes(schema)}
    key: Item = {}
    rest = []
    for term in conjuncts(where):
        comparison = comparison_of(term, values)
        if comparison is None or comparison.operator != "=" or comparison.name not in attributes:
            rest.append(term)
            continue
        name, value = comparison.name, _checked(comparison.values[0], attributes[comparison.name])
        if name not in key:
            key[name] = value
        elif key_bytes(key[name]) != key_bytes(value):
            if one_value:
                raise UnfitKeyError(
                    f"Multiple conditions on same key {name}. Only single item Update/Insert/Delete are supported"
                )
            rest.append(term)
    if len(key) < len(attributes):
        raise UnfitKeyError(incomplete_key)
    return schema.key_of(key), joined(rest)


def plan_point_read(where: Predicate | None, schema: KeySchema, values: Substitutions) -> Item | None:
    """The key of the one item that a condition names, if it says nothing else; an IN may have a single value."""
    branches = branches_of(where, schema, values)
    if branches is None or len(branches) != 1 or branches[0].rest:
        return None
    [branch] = branches
    key = {schema.partition.name: branch.partition}
    if schema.sort is not None:
        if not branch.sorts or any(each.operator != "=" for each in branch.sorts) or branch.range().is_empty:
            return None
        key[schema.sort.name] = branch.sorts[0].values[0]
    return schema.key_of(key)


def _reads(branches: Sequence[Branch], where: Predicate | None, key: KeySchema) -> list[Read]:
    """One for each branch; one for a whole partition in which branches may share items."""
    counts = Counter(branch.partition_bytes for branch in branches)
    shared = {each.partition_bytes for each in branches if counts[each.partition_bytes] > 1}
    if not any(map(may_overlap, branches)):
        shared = set()
    reads = []
    read_whole: set[bytes] = set()
    for branch in branches:
        partition = KeyComparison(key.partition.name, "=", (branch.partition,))
        if branch.partition_bytes in shared:
            if branch.partition_bytes not in read_whole:
                read_whole.add(branch.partition_bytes)
                reads.append(Read((partition,), where))
        elif not branch.range().is_empty:
            reads.append(_read(branch, partition))
    return reads


def _read(branch: Branch, partition: KeyComparison) -> Read:
    """A collection is narrowed by one comparison of the sort key; where there are several, its items are judged too."""
    if len(branch.sorts) < 2:
        return Read((partition, *branch.sorts), joined(branch.rest))
    return Read((partition, _narrowest(branch.sorts)), joined([*branch.sort_terms, *branch.rest]))


def _narrowest(sorts: Sequence[KeyComparison]) -> KeyComparison:
    """What holds wherever all of these comparisons do, and hardly anywhere else."""
    lows = [each for each in sorts if each.operator not in ("<", "<=")]
    highs = [each for each in sorts if each.operator in ("=", "<", "<=", "BETWEEN")]
    low = max(lows, key=lambda each: key_bytes(each.values[0]), default=None)
    high = min(highs, key=lambda each: key_bytes(each.values[-1]), default=None)
    if low is None or high is None:
        [narrowest] = [each for each in (low, high) if each is not None]
        return narrowest
    return KeyComparison(low.name, "BETWEEN", (low.values[0], high.values[-1]))


def _attributes(schema: KeySchema) -> Sequence[KeyAttribute]:
    return [schema.partition] if schema.sort is None else [schema.partition, schema.sort]


def _checked(value: AttributeValue, attribute: KeyAttribute) -> AttributeValue:
    if (kind := type_of(value)) != attribute.type:
        raise wrong_key_type(attribute.name, kind)
    return value


def _check_order_terms(select: Select, key: KeySchema) -> None:
    if select.order and select.where is None:
        raise ValidationError("Must have WHERE clause in the statement when using ORDER BY clause.")
    for term in select.order:
        if term.refusal:
            raise ValidationError(term.refusal)
        if term.name not in key.names:
            raise ValidationError(f"Attribute {term.name} in ORDER BY clause must be part of the primary key")


def _check_order(select: Select, key: KeySchema, partitions: Set[bytes]) -> None:
    if not partitions:
        raise ValidationError(
            "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause."
        )
    if len(partitions) > 1 and all(term.name != key.partition.name for term in select.order):
        raise ValidationError(
            "Must have hash key in ORDER BY clause when more than one hash key condition specified in WHERE clause."
        )


def _is_forward(order: Sequence[OrderTerm], key: KeySchema) -> bool:
    """Without ORDER BY the sort key ascends; with one that does not name it, it descends, as observed."""
    if not order:
        return True
    descending = [term.descending for term in order if key.sort is not None and term.name == key.sort.name]
    return bool(descending) and not descending[0]
