"""Statements of PartiQL from a small grammar, with some that are known to be awkward.

Within this module a parameter tells what it stands for: `?a` for a value as the attribute a has it.
"""

import re
from typing import Any

from tests.fuzz.attribute_values import partition_key, sort_key, value_of
from tests.fuzz.dice import Dice
from tests.fuzz.scribbles import scribble
from tests.fuzz.tables import indexes, kinds, main_keys, main_table, scratch_tables

_names = [name for name in kinds if name not in main_keys.names]
_comparators = ("=", "<>", "<", "<=", ">", ">=")
_literals = ("'x'", "'it''s'", "1", "-1.5e3", "TRUE", "NULL", "[1, 'x']", "{'a': 1}", "<<'x', 'y'>>", "''")
_levels_max = 2
_awkward = (
    f"SELECT * FROM {main_table}",
    f"SELECT * FROM {main_table} WHERE pk IN ['a', 'b', 'a'] ORDER BY pk DESC, sk",
    f"SELECT * FROM {main_table} WHERE pk = 'a' OR pk = 'b' AND NOT sk = 'u'",
    f"SELECT COUNT(*) FROM {main_table}",
    f"SELECT * FROM {main_table} WHERE pk = 'a' AND a = MISSING",
    f"SELECT pk, pk, m.a, l[0] FROM {main_table} WHERE pk = 'a' AND sk BETWEEN 'u' AND 'w'",
    f"SELECT * FROM {main_table} AS o WHERE o.pk = 'a' LIMIT 3",
    f"EXISTS(SELECT * FROM {main_table} WHERE pk = 'a' AND sk = 'u' AND a IS MISSING)",
    f"INSERT INTO {main_table} VALUE {{'pk': 'a'}}",
    f"INSERT INTO {main_table} VALUE {{'pk': 'a', 'sk': 'u', 'sk': 'v'}}",
    f"INSERT INTO {main_table} <<{{'pk': 'a', 'sk': 'u'}}>>",
    f"UPDATE {main_table} SET pk = 'b' WHERE pk = 'a' AND sk = 'u'",
    f"UPDATE {main_table} SET ss = set_add(ss, <<'q'>>) SET l = list_append(l, [1]) WHERE pk = 'a' AND sk = 'u'",
    f"UPDATE {main_table} REMOVE m.a REMOVE l[0] WHERE pk = 'a' AND sk = 'u' RETURNING MODIFIED OLD *",
    f"UPDATE {main_table} SET n = n + 1 WHERE pk = 'a'",
    f"DELETE FROM {main_table}",
    "SELECT * FROM nowhere WHERE pk = ?pk",
    "SELECT ((((((((((1",
    "-- nothing",
    f"SELECT * FROM {main_table} WHERE pk LIKE 'a%'",
    f"SELECT a, COUNT(*) FROM {main_table} GROUP BY a",
    f"SELECT * FROM {main_table} o JOIN {main_table} p ON o.pk = p.pk",
    f"SELECT CASE WHEN a = 1 THEN 2 ELSE 3 END FROM {main_table}",
    f"SELECT CAST(a AS STRING), TRIM(a), a || b FROM {main_table}",
    f"SELECT * FROM {main_table} WHERE pk = 'a' AND {'(' * 70}a = 1{')' * 70}",
    f"SELECT * FROM {main_table} WHERE " + "pk = 'a' OR " * 600 + "sk = 'u'",
    "DROP TABLE x",
    ";",
    "'",
)


def statement(dice: Dice) -> dict[str, Any]:
    """Members of a request: a statement, and its parameters if it has any."""
    return _with_parameters(dice, dice.choice([_select, _select, _read, _insert, _update, _delete])(dice))


def statements(dice: Dice) -> list[dict[str, Any]]:
    """Several at once: mostly all of them read, or all of them write."""
    makers = dice.choice([[_read], [_insert, _update, _delete]]) if not dice.one_in(20) else [_select, _delete]
    return [_with_parameters(dice, dice.choice(makers)(dice)) for _ in dice.times(4)]


def _with_parameters(dice: Dice, drawn: str) -> dict[str, Any]:
    text = dice.choice(_awkward) if dice.one_in(12) else drawn
    if dice.one_in(30):
        text = f"{text[: dice.randint(0, len(text))]} {scribble(dice, most=8)}"
    parameters = [value_of(dice, name) for name in re.findall(r"\?(\w+)", text)]
    return {"Statement": re.sub(r"\?\w+", "?", text), **({"Parameters": parameters} if parameters else {})}


def _read(dice: Dice) -> str:
    """A SELECT of one item, as transactions and batches want it."""
    return f"SELECT * FROM {_table(dice)} WHERE {_key(dice)}"


def _select(dice: Dice) -> str:
    columns = "*" if dice.one_in(2) else ", ".join(_path(dice) for _ in dice.times(3))
    source = f'{_table(dice)}."{dice.choice([*indexes])}"' if dice.one_in(4) else _table(dice)
    where = dice.choice([_key(dice), f"pk = {_partition_key(dice)}", _predicate(dice, 0)])
    if dice.one_in(2):
        where += f" AND {_predicate(dice, 1)}"
    order = dice.choice([" ORDER BY pk", " ORDER BY sk DESC", " ORDER BY n ASC"]) if dice.one_in(5) else ""
    return f"SELECT {columns} FROM {source} WHERE {where}{order}"


def _insert(dice: Dice) -> str:
    others = "".join(f", '{name}': {_value(dice, name)}" for name in dice.some(_names, most=3))
    return f"INSERT INTO {_table(dice)} VALUE {{'pk': {_partition_key(dice)}, 'sk': {_sort_key(dice)}{others}}}"


def _update(dice: Dice) -> str:
    actions = [f"SET {name} = {_assigned(dice, name)}" for name in dice.several(_names, most=2)]
    if dice.one_in(3):
        actions.append(f"REMOVE {_path(dice)}")
    returning = dice.choice(["", "", f" RETURNING {dice.choice(['ALL', 'MODIFIED'])} {dice.choice(['OLD', 'NEW'])} *"])
    return f"UPDATE {_table(dice)} {' '.join(actions)} WHERE {_item_condition(dice)}{returning}"


def _delete(dice: Dice) -> str:
    returning = " RETURNING ALL OLD *" if dice.one_in(4) else ""
    return f"DELETE FROM {_table(dice)} WHERE {_item_condition(dice)}{returning}"


def _item_condition(dice: Dice) -> str:
    return _key(dice) if dice.one_in(2) else f"{_key(dice)} AND {_predicate(dice, 1)}"


def _predicate(dice: Dice, levels: int) -> str:
    if levels < _levels_max and dice.one_in(3):
        left, right = _predicate(dice, levels + 1), _predicate(dice, levels + 1)
        return dice.choice([f"{left} AND {right}", f"({left} OR {right})", f"NOT ({left})"])
    name = dice.choice([*kinds])
    path = _path(dice, name)
    return dice.choice(
        [
            f"{path} {dice.choice(_comparators)} {_value(dice, name)}",
            f"{path} BETWEEN {_value(dice, name)} AND {_value(dice, name)}",
            f"{path} IN [{', '.join(_value(dice, name) for _ in dice.times(3))}]",
            f"{path} IS {dice.choice(['', 'NOT '])}{dice.choice(['MISSING', 'NULL'])}",
            f"begins_with({path}, {_value(dice, name)})",
            f"contains({path}, {_value(dice, name)})",
            f"attribute_type({path}, 'S')",
            f"size({path}) > {_value(dice, 'n')}",
        ]
    )


def _assigned(dice: Dice, name: str) -> str:
    return dice.choice(
        [
            _value(dice, name),
            _value(dice, name),
            _path(dice),
            f"{name} {dice.choice('+-')} {_value(dice, 'n')}",
            f"list_append({name}, {_value(dice, 'l')})",
            f"set_add({name}, {_value(dice, name)})",
            f"set_delete({name}, {_value(dice, name)})",
        ]
    )


def _key(dice: Dice) -> str:
    return f"pk = {_partition_key(dice)} AND sk = {_sort_key(dice)}"


def _partition_key(dice: Dice) -> str:
    return "?pk" if dice.one_in(6) else f"'{partition_key(dice)}'"


def _sort_key(dice: Dice) -> str:
    return "?sk" if dice.one_in(6) else f"'{sort_key(dice)}'"


def _value(dice: Dice, name: str) -> str:
    return f"?{name}" if dice.one_in(2) else dice.choice(_literals)


def _path(dice: Dice, name: str | None = None) -> str:
    path = name or dice.choice([*kinds])
    while dice.one_in(6):
        path += dice.choice(["[0]", "[2]", ".a", '."m"'])
    return path


def _table(dice: Dice) -> str:
    return f'"{dice.choice(scratch_tables) if dice.one_in(8) else main_table}"'
