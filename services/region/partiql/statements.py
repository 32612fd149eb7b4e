"""Text to statements: what was read becomes what DynamoDB knows, or a refusal. Kept by text, as expressions are.

Nothing here depends on parameters or tables: a statement holds placeholders, as the tree of an expression does. Of long
texts fewer are kept, since what is made of one may take most of a megabyte.
"""

from functools import lru_cache
from typing import NamedTuple

from services.region.commands.items import ReturnValues
from services.region.commands.statements import Column, Delete, Exists, Insert, OrderTerm, Select, Statement, Update
from services.region.expressions.nodes import Literal, Predicate, ValuePlaceholder
from services.region.partiql.edits import update_tree_of
from services.region.partiql.nodes import (
    DocumentPath,
    FunctionCall,
    Insertion,
    Modification,
    Name,
    Node,
    Ordering,
    Parameter,
    Returned,
    Scalar,
    Selection,
    Sequence,
    Struct,
    TypeTest,
    Wildcard,
)
from services.region.partiql.parser import parse
from services.region.partiql.paths import column_of, path_of, source_of
from services.region.partiql.predicates import condition_of
from services.region.partiql.problems import misplaced_exists, unexpected_component
from services.region.partiql.values import member_name, operand_value, value_of
from shared.errors import ValidationError
from shared.limits import cached_expressions_max, cached_long_statements_max, long_statement_chars_min


class ParsedStatement(NamedTuple):
    statement: Statement
    parameters: int  # how many `?` it has


def parse_statement(text: str) -> ParsedStatement:
    """The statement that a text is; raises a `ValidationError`. Its parameters are `:1`, `:2`, … in their order."""
    return _long_statement(text) if len(text) >= long_statement_chars_min else _short_statement(text)


@lru_cache(maxsize=cached_expressions_max)
def _short_statement(text: str) -> ParsedStatement:
    return _parsed(text)


@lru_cache(maxsize=cached_long_statements_max)
def _long_statement(text: str) -> ParsedStatement:
    return _parsed(text)


def _parsed(text: str) -> ParsedStatement:
    node, parameters = parse(text)
    return ParsedStatement(_statement(node), parameters)


def _statement(node: Node) -> Statement:
    if isinstance(node, Selection):
        return _select(node)
    if isinstance(node, Insertion):
        return _insert(node)
    if isinstance(node, Modification):
        return _update(node) if node.edits else _delete(node)
    if isinstance(node, FunctionCall) and node.name == "exists" and len(node.arguments) == 1:
        [inner] = node.arguments
        if isinstance(inner, Selection):
            return Exists(_select(inner))
    raise ValidationError(f"Unsupported operation: {_kind_of(node)}" if _kind_of(node) else misplaced_exists)


def _kind_of(node: Node) -> str:
    """How the service calls what is no statement; nothing for operations and calls, which it takes for conditions."""
    match node:
        case Scalar():
            return "Missing" if node.kind == "MISSING" else "Lit"
        case Sequence():
            return node.kind.capitalize()
        case Name() | DocumentPath() | Struct() | Parameter() | TypeTest():
            return _kinds[type(node)]
        case _:
            return ""


def _select(node: Selection) -> Select:
    if node.has_alias:
        raise ValidationError("Aliasing is not supported")
    if node.is_joined:
        raise ValidationError("Unexpected from source")
    if node.clauses:
        raise ValidationError(f"Unsupported clause: {node.clauses[0]}")
    columns: tuple[Column, ...] = ()
    refusal = ""
    try:
        columns = _columns(node)
    except ValidationError as error:
        if source_of(node.source).index is None:
            raise
        refusal = error.message
    where = None if node.where is None else condition_of(node.where)
    return Select(source_of(node.source), columns, where, tuple(map(_order_term, node.order)), refusal)


def _columns(node: Selection) -> tuple[Column, ...]:
    columns = () if isinstance(node.columns[0], Wildcard) else tuple(map(column_of, node.columns))
    named: set[str] = set()
    for column in columns:
        if column.name in named:
            raise ValidationError(f"Duplicate identifiers in select clause: {column.name}")
        named.add(column.name)
    return columns


def _order_term(ordering: Ordering) -> OrderTerm:
    key = ordering.key
    if isinstance(key, Name):
        return OrderTerm(str(path_of(key).steps[0]), ordering.descending)
    if isinstance(key, DocumentPath | Scalar):
        kind = key.text if isinstance(key, Scalar) else "PATH"
        refusal = f"Argument to ORDER BY must be of type VariableReference. Type: {kind} at {key.place}"
        return OrderTerm("", ordering.descending, refusal)
    raise unexpected_component(key.place)


def _insert(node: Insertion) -> Insert:
    if node.returning:
        raise ValidationError("RETURNING clause is not supported in INSERT statements.")
    if node.clauses:
        raise ValidationError(f"Unsupported clause: {node.clauses[0]}")
    source = source_of(node.target)
    if source.index is not None:
        raise ValidationError(
            f"FROM clause may only contain a single table name in data manipulation statements at {node.target.place}"
        )
    if not node.is_single or not isinstance(node.value, Struct):
        raise ValidationError("Insert statements must have a single VALUE that is a tuple")
    attributes: dict[str, Literal | ValuePlaceholder] = {}
    for key, member in node.value.members:
        name = member_name(key)
        value = operand_value(member)
        attributes[name] = Literal(value_of(member)) if value is None else value
    return Insert(source.table, tuple(attributes.items()))


def _update(node: Modification) -> Update:
    source, where = source_of(node.target), _where(node)
    returning = _returning(node.returning)
    return Update(source, update_tree_of(node.edits), where, _return_values[returning])


def _delete(node: Modification) -> Delete:
    source, where = source_of(node.target), _where(node)
    returning = _returning(node.returning)
    if returning not in ("", "all_old"):
        raise ValidationError(
            f"Invalid returning clause: RETURNING {returning.upper().replace('_', ' ')} *."
            " Only RETURNING ALL OLD * is allowed in DELETE statements."
        )
    return Delete(source, where, _return_values[returning])


def _where(node: Modification) -> Predicate | None:
    if node.has_alias:
        raise ValidationError("Aliasing is not supported")
    return None if node.where is None else condition_of(node.where)


def _returning(elements: tuple[Returned, ...]) -> str:
    if not elements:
        return ""
    if len(elements) > 1 or not isinstance(elements[0].column, Wildcard):
        raise ValidationError("Only a single RETURNING element of all attributes (*) is supported")
    return elements[0].what


_kinds: dict[type, str] = {
    Name: "Id",
    DocumentPath: "Path",
    Struct: "Struct",
    Parameter: "Parameter",
    TypeTest: "IsType",
}
_return_values = {
    "": ReturnValues.NONE,
    "all_old": ReturnValues.ALL_OLD,
    "all_new": ReturnValues.ALL_NEW,
    "modified_old": ReturnValues.UPDATED_OLD,
    "modified_new": ReturnValues.UPDATED_NEW,
}
