"""What goes wrong in a request: other JSON types, members too many or too few, texts and numbers out of bounds."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.fuzz.dice import Dice
from tests.fuzz.scribbles import scribble

Place = tuple[str | int, ...]

_wrong_types: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 2**70, float("inf"), "", "x", [], [[]], [None], {}, {"": {}}, {"x": None}, [{"x": 1}]),
)
_numbers = (0, -1, 1.5, 2**31, 2**63, 2**64, -(2**63) - 1, 1e300, 10**40, "1", float("nan"))
_values = {"S": "x", "N": "1", "BOOL": True, "L": [], "M": {}, "SS": ["x", "x"], "NS": ["1", "1.0"], "X": 1}
_repeated_chars_max = 10_000  # so that a body stays within what may be sent at all


def spoilt(dice: Dice, body: Any) -> Any:
    """The body with a few slips in it, wherever they fall."""
    for _ in dice.times(3):
        body = _changed(dice, body, dice.choice([*_places(body)]))
    return body


def _places(node: Any) -> Iterator[Place]:
    yield ()
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, below in inner:
        yield from ((step, *place) for place in _places(below))


def _changed(dice: Dice, node: Any, place: Place) -> Any:
    if not place:
        return _slip(dice, node)
    step, *rest = place
    changed = _changed(dice, node[step], tuple(rest))
    if isinstance(node, dict):
        return {**node, step: changed}
    return [changed if position == step else element for position, element in enumerate(node)]


def _slip(dice: Dice, node: Any) -> Any:
    if dice.one_in(4):
        return dice.choice(_wrong_types)
    slip = _slips.get(type(node))
    return dice.choice(_wrong_types) if slip is None else slip(dice, node)


def _slip_of_object(dice: Dice, node: dict[str, Any]) -> Any:
    names = [*node]
    if names and dice.one_in(2):
        dropped = dice.choice(names)
        return {name: value for name, value in node.items() if name != dropped}
    if dice.one_in(3):
        return {**node, "Unknown": dice.choice(_wrong_types)}
    return {**node, **{kind: _values[kind] for kind in dice.several([*_values], most=3)}}


def _slip_of_list(dice: Dice, node: list[Any]) -> Any:
    many = 101 if len(json.dumps(node[:1])) < _repeated_chars_max else 2
    return dice.choice([[], node + node[:1], node[:1] * many, [node], node[1:]])


def _slip_of_text(dice: Dice, node: str) -> Any:
    cut = dice.randint(0, len(node))
    inserted = node[:cut] + scribble(dice) + node[cut:]
    return dice.choice(["", node[:cut], inserted, inserted, node + "\x00", node + "\ud800", node * 2, "x" * 5_000])


def _slip_of_number(dice: Dice, _node: float) -> Any:
    return dice.choice(_numbers)


_slips: dict[type, Callable[[Dice, Any], Any]] = {
    dict: _slip_of_object,
    list: _slip_of_list,
    str: _slip_of_text,
    int: _slip_of_number,
    float: _slip_of_number,
}
