"""Paths of a statement: document paths into items, and the table or the index that a statement names."""

from services.region.commands.statements import Column, Source
from services.region.expressions.nodes import Path
from services.region.partiql.nodes import DocumentPath, Name, Node, Scalar, Step
from services.region.partiql.problems import unexpected_component
from shared.errors import ValidationError
from shared.limits import path_levels_max, statement_list_index_max


def is_path(node: Node) -> bool:
    return isinstance(node, Name | DocumentPath)


def path_of(node: Node) -> Path:
    """The document path that a node is; anything else does not belong where it stands."""
    if isinstance(node, Name):
        return Path((_text(node),))
    if not isinstance(node, DocumentPath):
        raise unexpected_component(node.place)
    if not isinstance(node.root, Name):
        raise unexpected_component(node.root.place)
    steps = (_text(node.root), *map(_step, node.steps))
    if len(steps) > path_levels_max:
        raise ValidationError(f"The document path has too many nesting levels; nesting levels: {len(steps)}")
    return Path(steps)


def column_of(node: Node) -> Column:
    """What is selected goes by the last name of its path, with the positions behind it."""
    path = path_of(node)
    named = max(at for at, step in enumerate(path.steps) if isinstance(step, str))
    return Column("".join(f"[{step}]" if isinstance(step, int) else str(step) for step in path.steps[named:]), path)


def source_of(node: Node) -> Source:
    if not is_path(node):
        raise ValidationError("Unexpected from source")
    steps = path_of(node).steps
    if len(steps) > 2:
        raise ValidationError("A path may contain at most 2 components in the FROM clause")
    if any(isinstance(step, int) for step in steps):
        raise ValidationError("Invalid list expression in source.")
    return Source(*map(str, steps))


def _step(step: Step) -> str | int:
    node = step.node
    if isinstance(node, Name) and not step.in_brackets:
        return _text(node)
    if isinstance(node, Scalar) and step.in_brackets:
        if node.kind == "STRING":
            return node.text
        if node.kind == "NUMBER" and node.text.removeprefix("-").isdecimal():
            return _position(node)
    raise unexpected_component(node.place)


def _position(node: Scalar) -> int:
    digits = node.text.removeprefix("-").lstrip("0") or "0"
    is_negative = node.text.startswith("-") and digits != "0"
    if is_negative or len(digits) > len(str(statement_list_index_max)) or int(digits) > statement_list_index_max:
        raise ValidationError(f"List index is not within the allowable range; index: [{node.text}] at {node.place}")
    return int(digits)


def _text(name: Name) -> str:
    if not name.text:
        raise ValidationError("Path component cannot be an empty string")
    return name.text
