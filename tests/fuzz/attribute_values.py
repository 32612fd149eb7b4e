"""Attribute values, keys and items: mostly such as applications store, now and then at the edge of what can be."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from tests.fuzz.dice import Dice
from tests.fuzz.tables import kinds, main_keys

Value = dict[str, Any]

_levels_max = 3
_scalar_kinds = ("S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS")
_common_texts = ("a", "b", "x", "xy", "straße", "日本", "\x00", "null", "S", "N", "B", "2024-05-17T08:00:00Z")
_odd_texts = ("", "\ud7ff\ue000", "\U0001f600" * 3, "'", '"', "\\", "pk = pk", "\n", "x" * 1025, "x" * 2049)
_long_texts = (4_097, 65_536, 400_000, 409_700)
_common_numbers = ("0", "1", "2", "-1", "3.5", "10", "1e5", "1700000000", "1900000000")
_odd_numbers = (
    *("1E+125", "9.9999999999999999999999999999999999999E+125", "1E-130", "-1E-130", "1E+126", "1E-131", "-1E+126"),
    *("9" * 38, "9" * 39, "1" + "0" * 125, "1" + "0" * 126, "0." + "0" * 129 + "1", "0." + "0" * 130 + "1"),
    *("-0", "0E999", "+3", ".5", "5.", "00012", "1.50", "1e1000000000", "1" * 400),
)
_not_numbers = ("", "abc", "NaN", "Infinity", "0x1", " 1", "1_000", "1,5", "٣", "1e", "--1")
_nesting = (5, 30, 31, 32, 33, 40, 120)


def any_value(dice: Dice, levels: int = 0) -> Value:
    """A value of any type."""
    if dice.one_in(200):
        return nested(dice)
    if levels < _levels_max and dice.one_in(4):
        return _makers[dice.choice("LM")](dice, levels)
    return _makers[dice.choice(_scalar_kinds)](dice, levels)


def value_of(dice: Dice, name: str) -> Value:
    """A value as the attribute `name` usually has it."""
    if name not in kinds or dice.one_in(25):
        return any_value(dice)
    return _makers[kinds[name]](dice, 1)


def key(dice: Dice) -> Value:
    """Mostly a key of the main table; there are few, so that requests meet."""
    if dice.one_in(30):
        return {name: value_of(dice, name) for name in dice.several([*kinds], most=3)}
    return {"pk": {"S": partition_key(dice)}, "sk": {"S": sort_key(dice)}}


def partition_key(dice: Dice) -> str:
    return dice.choice("abcdef")


def sort_key(dice: Dice) -> str:
    """Mostly one of few, and yet enough of them for pages of many items."""
    return f"s{dice.randrange(2_000)}" if dice.one_in(5) else dice.choice("uvwxyz")


def item(dice: Dice) -> Value:
    others = dice.some([name for name in kinds if name not in main_keys.names], most=9)
    return {**key(dice), **{name: value_of(dice, name) for name in others}}


def nested(dice: Dice) -> Value:
    """A value of many levels, up to more than there may be."""
    value: Value = {"S": "innermost"}
    for _ in range(dice.choice(_nesting)):
        value = {"L": [value]} if dice.one_in(2) else {"M": {"m": value}}
    return value


def text(dice: Dice) -> str:
    if dice.one_in(400):
        return "x" * dice.choice(_long_texts)
    return dice.choice(_odd_texts if dice.one_in(12) else _common_texts)


def number(dice: Dice) -> str:
    if dice.one_in(150):
        return dice.choice(_not_numbers)
    if dice.one_in(15):
        return dice.choice(_odd_numbers)
    return dice.choice(_common_numbers) if dice.one_in(2) else str(dice.randint(-100, 100))


def _binary(dice: Dice) -> str:
    if dice.one_in(150):
        return dice.choice(["!", "QQ", "QQ=", "Q Q=", "____"])
    return b64encode(dice.randbytes(dice.choice([0, 1, 2, 3, 16, 200] if dice.one_in(5) else [1, 2]))).decode()


def _members(dice: Dice, make: Callable[[Dice], str]) -> list[str]:
    """Of a set: different ones and at least one, but for a slip now and then."""
    if dice.one_in(40):
        return [] if dice.one_in(2) else [make(dice)] * 2
    return [*dict.fromkeys(make(dice) for _ in range(dice.randint(1, 4)))]


_makers: dict[str, Callable[[Dice, int], Value]] = {
    "S": lambda dice, _: {"S": text(dice)},
    "N": lambda dice, _: {"N": number(dice)},
    "B": lambda dice, _: {"B": _binary(dice)},
    "BOOL": lambda dice, _: {"BOOL": dice.one_in(2)},
    "NULL": lambda dice, _: {"NULL": not dice.one_in(50)},
    "SS": lambda dice, _: {"SS": _members(dice, text)},
    "NS": lambda dice, _: {"NS": _members(dice, number)},
    "BS": lambda dice, _: {"BS": _members(dice, _binary)},
    "L": lambda dice, levels: {"L": [any_value(dice, levels + 1) for _ in range(dice.randint(0, 3))]},
    "M": lambda dice, levels: {"M": {name: any_value(dice, levels + 1) for name in dice.some([*kinds], most=3)}},
}
