"""The parameters from before expressions: conditions by operator, expectations, updates by action."""

from typing import Any

from tests.fuzz.attribute_values import value_of
from tests.fuzz.dice import Dice
from tests.fuzz.tables import kinds, main_keys

_operands = {
    **dict.fromkeys(("EQ", "NE", "LE", "LT", "GE", "GT", "CONTAINS", "NOT_CONTAINS", "BEGINS_WITH"), 1),
    **dict.fromkeys(("NOT_NULL", "NULL"), 0),
    "BETWEEN": 2,
    "IN": 3,
}
_others = [name for name in kinds if name not in main_keys.names]


def key_conditions(dice: Dice) -> dict[str, Any]:
    conditions = {name: _compared(dice, name, "EQ") for name in main_keys.partition}
    if dice.one_in(2):
        operator = dice.choice(["EQ", "LE", "LT", "GE", "GT", "BEGINS_WITH", "BETWEEN"])
        conditions |= {name: _compared(dice, name, operator) for name in main_keys.sort}
    return conditions


def filters(dice: Dice) -> dict[str, Any]:
    return {name: _compared(dice, name, dice.choice([*_operands])) for name in dice.several(_others, most=2)}


def expectations(dice: Dice) -> dict[str, Any]:
    """Of an item that is to be written."""
    return {name: _expectation(dice, name) for name in dice.several(_others, most=2)}


def updates(dice: Dice) -> dict[str, Any]:
    """Of attributes, by name."""
    return {name: _update(dice, name) for name in dice.several(_others, most=3)}


def _expectation(dice: Dice, name: str) -> dict[str, Any]:
    known = {"Value": value_of(dice, name)}
    return dice.choice([known, known | {"Exists": True}, {"Exists": False}, _compared(dice, name, "NE")])


def _update(dice: Dice, name: str) -> dict[str, Any]:
    if dice.one_in(4):
        return {"Action": "DELETE"}
    action = dice.choice(["ADD", "ADD", "DELETE"] if kinds[name] in ("N", "SS", "NS", "BS") else ["PUT"])
    return {"Action": action, "Value": value_of(dice, name)}


def _compared(dice: Dice, name: str, operator: str) -> dict[str, Any]:
    operands = [value_of(dice, name) for _ in range(_operands[operator])]
    return {"ComparisonOperator": operator} | ({"AttributeValueList": operands} if operands else {})
