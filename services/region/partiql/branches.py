"""A condition as alternatives, each of which names one partition and a range of its sort keys: one read each.

Source: DynamoDB's answers, which refuse alternatives that share items ("overlapping") and more than 50 of them.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from math import prod
from typing import NamedTuple

from services.region.expressions.key_conditions import KeyComparison
from services.region.expressions.nodes import Comparison, Disjunction, Literal, Path, Predicate
from services.region.expressions.substitutions import Substitutions
from services.region.partiql.problems import wrong_key_type
from services.region.partiql.terms import comparison_of, conjuncts, names_in
from shared.errors import ValidationError
from shared.limits import statement_reads_max
from shared.model.keys import KeyAttribute, KeySchema, key_bytes
from shared.model.values import AttributeValue, type_of

_sort_operators = frozenset({"=", "<", "<=", ">", ">=", "BETWEEN", "begins_with"})


class KeyRange(NamedTuple):
    """Keys as bytes from `first` up to `end`, which is not in it; None: without end."""

    first: bytes
    end: bytes | None

    @property
    def is_empty(self) -> bool:
        return self.end is not None and self.first >= self.end


@dataclass(frozen=True, slots=True)
class Branch:
    partition: AttributeValue
    sorts: tuple[KeyComparison, ...]  # all of which must hold
    sort_terms: tuple[Predicate, ...]  # the same, as terms
    rest: tuple[Predicate, ...]  # what is left to be judged by items
    judges_sort: bool  # `rest` looks at the sort key, as a condition of a key can't
    is_contradictory: bool  # another partition is named as well

    @property
    def partition_bytes(self) -> bytes:
        return key_bytes(self.partition)

    def range(self) -> KeyRange:
        ranges = [_range_of(each) for each in self.sorts]
        ends = [each.end for each in ranges if each.end is not None]
        return KeyRange(max((each.first for each in ranges), default=b""), min(ends) if ends else None)


class _Leaf(NamedTuple):
    predicate: Predicate
    comparison: KeyComparison | None
    values: tuple[AttributeValue, ...] = ()  # of the IN that it is a part of


def branches_of(where: Predicate | None, key: KeySchema, values: Substitutions) -> list[Branch] | None:
    """The reads that a condition comes to, or None if some alternative names no partition: then everything is read.

    Raises a `ValidationError` for what no reads can be made of.
    """
    terms = [_Term(each, key, values) for each in conjuncts(where)]
    if not any(term.speaks_of_key for term in terms):
        return None
    all_name_partition = any(term.names_partition for term in terms)
    if prod(term.count for term in terms) > statement_reads_max:
        if all_name_partition:
            raise ValidationError("Too many decomposed read operations for a given query.")
        return None
    alternatives = [
        [leaf for leafs in alternative for leaf in leafs]
        for alternative in product(*(term.alternatives() for term in terms))
    ]
    if not (_are_keys(alternatives, key) and all_name_partition):
        return None
    branches = [_branch(alternative, key) for alternative in alternatives]
    _check_overlaps(branches)
    return branches


class _Term:
    """One of the conditions all of which must hold; alternatives that do not speak of the key are left whole."""

    def __init__(self, predicate: Predicate, key: KeySchema, values: Substitutions) -> None:
        self._predicate = predicate
        self._comparison: KeyComparison | None = None
        self._choices: list[list[_Term]] = []
        if isinstance(predicate, Disjunction):
            self._choices = [[_Term(each, key, values) for each in conjuncts(choice)] for choice in predicate.terms]
        else:
            self._comparison = comparison_of(predicate, values)
        comparison = self._comparison
        self.speaks_of_key: bool = any(term.speaks_of_key for choice in self._choices for term in choice) or (
            comparison is not None and comparison.name in key.names
        )
        self.names_partition: bool = _all_name(self._choices) or (
            comparison is not None and comparison.name == key.partition.name and comparison.operator in ("=", "IN")
        )
        self.count = self._count()

    def alternatives(self) -> Iterable[Sequence[_Leaf]]:
        if self._choices and self.speaks_of_key:
            for choice in self._choices:
                for alternative in product(*(term.alternatives() for term in choice)):
                    yield [leaf for leafs in alternative for leaf in leafs]
        elif self.speaks_of_key and self._comparison is not None and self._comparison.operator == "IN":
            name = self._comparison.name
            for value in self._comparison.values:
                equality = Comparison("=", Path((name,)), Literal(value))
                yield [_Leaf(equality, KeyComparison(name, "=", (value,)), self._comparison.values)]
        else:
            yield [_Leaf(self._predicate, self._comparison if self.speaks_of_key else None)]

    def _count(self) -> int:
        if not self.speaks_of_key:
            return 1
        if self._choices:
            return sum(prod(term.count for term in choice) for choice in self._choices)
        return len(self._comparison.values) if self._comparison and self._comparison.operator == "IN" else 1


def _all_name(choices: Sequence[Sequence[_Term]]) -> bool:
    return bool(choices) and all(any(term.names_partition for term in choice) for choice in choices)


def _are_keys(alternatives: Sequence[Sequence[_Leaf]], key: KeySchema) -> bool:
    """Whether each value that is said to be a key can be one.

    What can't be is refused, but not from the first alternative on that says different things of one key, an IN being
    one thing; alternatives that name no partition are passed over.
    """
    is_refused = True
    for alternative in alternatives:
        said = [(*each, leaf) for leaf in alternative if (each := _said_of(leaf.comparison, key)) is not None]
        of_partition = {_way(leaf) for attribute, _, leaf in said if attribute == key.partition}
        of_sort = {_way(leaf) for attribute, _, leaf in said if attribute == key.sort}
        if not of_partition:
            continue
        is_refused = is_refused and len(of_partition) == 1 and len(of_sort) <= 1
        for attribute, comparison, _ in said:
            for value in comparison.values:
                if (kind := type_of(value)) != attribute.type:
                    if is_refused:
                        raise wrong_key_type(attribute.name, kind)
                    return False
    return True


def _way(leaf: _Leaf) -> tuple[str, frozenset[str]]:
    """What tells one thing that is said of a key from another; values of an IN have no order."""
    assert leaf.comparison is not None
    return leaf.comparison.operator, frozenset(map(repr, leaf.values or leaf.comparison.values))


def _said_of(comparison: KeyComparison | None, key: KeySchema) -> tuple[KeyAttribute, KeyComparison] | None:
    """The attribute of the key that a comparison decides on, if it does."""
    if comparison is not None and comparison.name == key.partition.name and comparison.operator == "=":
        return key.partition, comparison
    if key.sort is not None and comparison is not None and _is_of_sort(comparison, key.sort):
        return key.sort, comparison
    return None


def _branch(leafs: Sequence[_Leaf], key: KeySchema) -> Branch:
    partition: AttributeValue | None = None
    is_contradictory = False
    sorts: list[KeyComparison] = []
    sort_terms: list[Predicate] = []
    rest: list[Predicate] = []
    for predicate, comparison, _ in leafs:
        said = _said_of(comparison, key)
        if said is None:
            rest.append(predicate)
        elif said[0] == key.sort:
            sorts.append(said[1])
            sort_terms.append(predicate)
        else:
            value = said[1].values[0]
            if partition is None:
                partition = value
            elif key_bytes(value) != key_bytes(partition):
                is_contradictory = True
                rest.append(predicate)
    assert partition is not None, "every alternative names a partition"
    judges_sort = key.sort is not None and any(key.sort.name in names_in(each) for each in rest)
    return Branch(partition, tuple(sorts), tuple(sort_terms), tuple(rest), judges_sort, is_contradictory)


def _is_of_sort(comparison: KeyComparison, sort: KeyAttribute) -> bool:
    return comparison.name == sort.name and comparison.operator in _sort_operators


def may_overlap(branch: Branch) -> bool:
    """Whether it says more of the sort key than one condition of a key does; the service looks at no overlaps then."""
    return branch.judges_sort or len(set(map(repr, branch.sorts))) > 1


def _check_overlaps(branches: Sequence[Branch]) -> None:
    """No item may be read twice."""
    if any(map(may_overlap, branches)):
        return
    ranges: dict[bytes, list[KeyRange]] = defaultdict(list)
    for branch in branches:
        wanted = branch.range()
        if not (branch.is_contradictory or wanted.is_empty):
            ranges[branch.partition_bytes].append(wanted)
    for of_partition in ranges.values():
        of_partition.sort(key=lambda each: each.first)
        for before, after in pairwise(of_partition):
            if before.end is None or after.first < before.end:
                raise ValidationError("Overlapping conditions with range keys are not supported in where clause")


def _range_of(comparison: KeyComparison) -> KeyRange:
    low, high = key_bytes(comparison.values[0]), key_bytes(comparison.values[-1])
    match comparison.operator:
        case "<":
            return KeyRange(b"", low)
        case "<=":
            return KeyRange(b"", _next(low))
        case ">":
            return KeyRange(_next(low), None)
        case ">=":
            return KeyRange(low, None)
        case "begins_with":
            return KeyRange(low, _after_all_that_begin_with(low))
        case _:  # = and BETWEEN
            return KeyRange(low, _next(high))


def _next(key: bytes) -> bytes:
    return key + b"\x00"


def _after_all_that_begin_with(prefix: bytes) -> bytes | None:
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes([kept[-1] + 1]) if kept else None
