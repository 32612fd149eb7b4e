"""Expressions from a small grammar, with some that are known to be awkward.

A placeholder tells what it stands for: `#a` for the attribute a, `:a1` for a value as the attribute a has it.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from tests.fuzz.attribute_values import any_value, key, value_of
from tests.fuzz.dice import Dice
from tests.fuzz.tables import Keys, indexes, kinds, local_index, main_keys

_names = [name for name in kinds if name not in main_keys.names]
_comparators = ("=", "<>", "<", "<=", ">", ">=")
_ordered_kinds = ("S", "N", "B")
_levels_max = 3
_awkward_conditions = (
    "size(a) > :n1",
    "a = a AND NOT (a <> a)",
    "((a = :a1))",
    "a IN (:a1, :a2, a, #a)",
    "NOT NOT NOT attribute_exists(a)",
    "attribute_type(a, :kind)",
    "attribute_type(a, :a1)",
    "contains(ss, :a1) OR contains(a, :a1) OR contains(l, :a1)",
    "contains(pk, pk)",
    ":a1 = :a2",
    ":n1 BETWEEN :n2 AND :n1",
    "l[0][1][2].m.m[99999999999] = :n1",
    "a < :ss1",
    "size(:a1) = :n1",
    "status = :a1",
    "(((((((((((((((((((((a = :a1)))))))))))))))))))))",
    "a = :a1" + " AND a = :a1" * 310,
    "NOT " * 301 + "a = :a1",
    "f(a) = :a1",
    "",
    " ",
)
_awkward_updates = (
    "SET a = :a1, a = :a2",
    "SET m.a = :a1, m = :m1",
    "SET l[5] = :a1, l[5].m = :a2",
    "SET n = n - n + n",
    "SET n = if_not_exists(n, if_not_exists(n, :n1)) + :n2",
    "SET pk = :pk1",
    "REMOVE pk",
    "REMOVE l[0], l[1], l[2]",
    "ADD n :n1, ss :ss1 DELETE ss :ss2",
    "ADD ns :ns1, bs :bs1, n :n1",
    "DELETE ns :ns1, ss :ns1",
    "SET a = b SET b = a",
    "SET l = list_append(l, list_append(l, l))",
    "SET m.m.m.m = :a1",
    "SET n = :n1 + :a1",
    "SET a = :a1 REMOVE a",
    "ADD n.n :n1",
    "SET",
    "",
)
_awkward_projections = (
    *("a, a", "m, m.a", "l[0], l[1]", "l[0], l[0].m", "a b", "a..b", "a, ", "l[-1]", "#a.#m", "status", ""),
)


def condition(dice: Dice) -> str:
    if dice.one_in(12):
        return dice.choice(_awkward_conditions)
    return _condition(dice, 0)


def update(dice: Dice) -> str:
    if dice.one_in(8):
        return dice.choice(_awkward_updates)
    clauses: dict[str, Callable[[str], str]] = {
        "SET": lambda path: f"{path} = {_assigned(dice, path)}",
        "REMOVE": lambda path: path,
        "ADD": lambda path: f"{path} {_placeholder(dice, dice.choice(['n', 'ss', 'ns', 'bs']))}",
        "DELETE": lambda path: f"{path} {_placeholder(dice, dice.choice(['ss', 'ns', 'bs']))}",
    }
    paths = iter([_path(dice, name) for name in dice.sample(_names, len(_names))])
    return " ".join(
        f"{keyword} " + ", ".join(clauses[keyword](next(paths)) for _ in dice.times(3))
        for keyword in dice.several([*clauses], most=2)
    )


def projection(dice: Dice) -> str:
    if dice.one_in(12):
        return dice.choice(_awkward_projections)
    return ", ".join(_path(dice, name) for name in dice.several([*kinds], most=5))


def key_condition(dice: Dice, keys: Keys) -> str:
    """Mostly one that fits these keys."""
    if dice.one_in(25):
        return _condition(dice, 1)
    terms = [f"{_name(dice, name)} = :{name}1" for name in keys.partition]
    sort = keys.sort[: dice.randint(0, len(keys.sort))]
    for position, name in enumerate(sort):
        is_last = position == len(sort) - 1 and dice.one_in(2)
        terms.append(_range_term(dice, name) if is_last else f"{_name(dice, name)} = :{name}1")
    return " AND ".join(dice.sample(terms, len(terms)))


def keyed_query(dice: Dice) -> dict[str, Any]:
    """Members of a Query: an index or the table itself, with a condition on its key."""
    if dice.one_in(2):
        return {"IndexName": None, "KeyConditionExpression": key_condition(dice, main_keys)}
    name = dice.choice(["by-a", "by-a", "by-n", "by-n", *indexes])
    members = {} if name == local_index or dice.one_in(20) else {"ConsistentRead": None}
    return {**members, "IndexName": name, "KeyConditionExpression": key_condition(dice, indexes[name])}


def names_for(texts: Iterable[str]) -> dict[str, str]:
    """The names of all placeholders in these expressions."""
    return {used: used[1:] for text in texts for used in re.findall(r"#\w+", text)}


def values_for(dice: Dice, texts: Iterable[str]) -> dict[str, Any]:
    """The values of all placeholders in these expressions."""
    return {used: _value_for(dice, used) for text in texts for used in re.findall(r":\w+", text)}


def _range_term(dice: Dice, name: str) -> str:
    path = _name(dice, name)
    forms = [f"{path} {comparator} :{name}1" for comparator in _comparators if comparator != "<>"]
    forms.append(f"{path} BETWEEN :{name}1 AND :{name}2")
    if kinds[name] != "N":
        forms += [f"begins_with({path}, :{name}1)"] * 3
    return dice.choice(forms)


def _condition(dice: Dice, levels: int) -> str:
    if levels < _levels_max and dice.one_in(2):
        left, right = _condition(dice, levels + 1), _condition(dice, levels + 1)
        return dice.choice(
            [f"{left} AND {right}", f"{left} OR {right}", f"({left} OR {right}) AND {left}", f"NOT ({left})"]
        )
    name = dice.choice([*kinds])
    path = _path(dice, name)
    if kinds[name] in _ordered_kinds and dice.one_in(2):
        return dice.choice(
            [
                f"{path} {dice.choice(_comparators)} {_operand(dice, name)}",
                f"{path} BETWEEN {_operand(dice, name)} AND {_operand(dice, name)}",
                f"begins_with({path}, {_operand(dice, dice.choice(['a', 'b', name]))})",
            ]
        )
    return dice.choice(
        [
            f"{path} {dice.choice(['=', '<>'])} {_operand(dice, name)}",
            f"{_operand(dice, name)} {dice.choice(['=', '<>'])} {path}",
            f"{path} IN ({', '.join(_operand(dice, name) for _ in dice.times(4))})",
            f"attribute_exists({path})",
            f"attribute_not_exists({path})",
            f"attribute_type({path}, :kind)",
            f"contains({path}, {_operand(dice, dice.choice(_names))})",
            f"size({path}) {dice.choice(_comparators)} {_placeholder(dice, 'n')}",
        ]
    )


def _operand(dice: Dice, name: str) -> str:
    if dice.one_in(8):
        return _path(dice, dice.choice([*kinds]))
    return f"size({_path(dice, name)})" if dice.one_in(25) else _placeholder(dice, name)


def _assigned(dice: Dice, path: str) -> str:
    name = dice.choice(_names)
    return dice.choice(
        [
            *[_placeholder(dice, name)] * 4,
            _path(dice, name),
            f"if_not_exists({path}, {_placeholder(dice, name)})",
            f"if_not_exists({path}, {_placeholder(dice, 'n')}) + {_placeholder(dice, 'n')}",
            f"n {dice.choice('+-')} {_placeholder(dice, 'n')}",
            f"list_append(l, {_placeholder(dice, 'l')})",
            f"list_append({_placeholder(dice, 'l')}, {_placeholder(dice, 'l')})",
        ]
    )


def _path(dice: Dice, name: str) -> str:
    """Often into lists and maps, now and then into what has no inside."""
    path = _name(dice, name)
    while dice.one_in(2 if name in ("l", "m") else 8):
        into_list = dice.one_in(2) if name not in ("l", "m") else (name == "l") is not dice.one_in(10)
        name = dice.choice([*kinds])
        path += f"[{dice.choice([0, 0, 1, 2, 100])}]" if into_list else f".{_name(dice, name)}"
    return path


def _name(dice: Dice, name: str) -> str:
    return f"#{name}" if dice.one_in(3) or name == "ttl" else name


def _placeholder(dice: Dice, name: str) -> str:
    return f":{name}{dice.randint(1, 3)}"


def _value_for(dice: Dice, placeholder: str) -> dict[str, Any]:
    name = placeholder.strip(":0123456789")
    if name == "kind":
        return {"S": dice.choice([*kinds.values()])}
    if name in main_keys.names and not dice.one_in(20):
        return dict(key(dice).get(name, {"S": "a"}))
    return value_of(dice, name) if name in kinds else any_value(dice)
