"""Statements that write, as the commands that do the same: a put, an update, a delete, a check of a condition."""

from services.region.commands.items import DeleteItem, Guard, PutItem, ReturnConsumedCapacity, UpdateItem, no_guard
from services.region.commands.statements import Delete, Exists, Insert, RequestedStatement, Update
from services.region.commands.transactions import ConditionCheck
from services.region.expressions.conditions import Condition, condition_from
from services.region.expressions.nodes import (
    AddAction,
    Call,
    DeleteAction,
    Disjunction,
    Literal,
    Path,
    Predicate,
    UpdateTree,
    ValuePlaceholder,
)
from services.region.expressions.problems import ExpressionProblem
from services.region.expressions.substitutions import Substitutions
from services.region.expressions.updates import Update as BoundUpdate
from services.region.expressions.updates import update_from
from services.region.partiql.edits import set_types
from services.region.partiql.planner import plan_write
from services.region.partiql.problems import UnfitItemError
from shared.errors import ValidationError
from shared.limits import item_bytes_max, nesting_levels_max
from shared.model.keys import KeySchema
from shared.model.sizes import item_size_bytes
from shared.model.values import nesting_levels, type_of

no_capacity = ReturnConsumedCapacity.NONE


def put_of(statement: Insert, requested: RequestedStatement, wish: ReturnConsumedCapacity = no_capacity) -> PutItem:
    """It refuses when there is an item with the same key."""
    item = {
        name: value.value if isinstance(value, Literal) else requested.values.value_of(value.text)
        for name, value in statement.attributes
    }
    if "" in item:
        raise ValidationError("One or more parameter values were invalid: Empty attribute name")
    if item_size_bytes(item) > item_bytes_max:
        raise ValidationError("Item size has exceeded the maximum allowed size")
    if any(nesting_levels(value) > nesting_levels_max for value in item.values()):
        raise UnfitItemError("Nesting Levels have exceeded supported limits")
    guard = Guard(absent=True, return_item_on_failure=requested.return_item_on_failure)
    return PutItem(requested.table, item, guard, return_consumed_capacity=wish)


def update_of(
    statement: Update,
    requested: RequestedStatement,
    schema: KeySchema,
    *,
    wish: ReturnConsumedCapacity = no_capacity,
) -> UpdateItem:
    """It refuses when there is no item, and when the rest of the condition does not hold of it."""
    key, rest = plan_write(statement.where, schema, requested.values)
    guard = Guard(
        None if rest is None else bound_condition(rest, requested.values),
        present=True,
        return_item_on_failure=requested.return_item_on_failure,
    )
    update = _bound_update(statement.edits, requested.values)
    return UpdateItem(requested.table, key, update, guard, statement.returning, wish)


def delete_of(
    statement: Delete,
    requested: RequestedStatement,
    schema: KeySchema,
    *,
    wish: ReturnConsumedCapacity = no_capacity,
) -> DeleteItem:
    """Where there is no item it does nothing, whatever else the condition says."""
    key, rest = plan_write(statement.where, schema, requested.values)
    guard = no_guard
    if rest is not None:
        is_absent = Call("attribute_not_exists", (Path((schema.partition.name,)),))
        condition = bound_condition(Disjunction((is_absent, rest)), requested.values)
        guard = Guard(condition, return_item_on_failure=requested.return_item_on_failure, is_absence_told=True)
    return DeleteItem(requested.table, key, guard, statement.returning, wish)


def check_of(statement: Exists, requested: RequestedStatement, schema: KeySchema) -> ConditionCheck:
    """What EXISTS selects must be one item by its key, and be asked for more than being there."""
    select = statement.select
    _check_source(select.source.index)
    refusal = ValidationError("EXISTS() must contain a single item read with additional condition")
    try:
        key, rest = plan_write(select.where, schema, requested.values, one_value=False)
    except ValidationError as error:
        raise refusal from error
    if rest is None:
        raise refusal
    guard = Guard(
        bound_condition(rest, requested.values),
        present=True,
        return_item_on_failure=requested.return_item_on_failure,
    )
    return ConditionCheck(requested.table, key, guard)


def check_write(statement: Update | Delete, values: Substitutions) -> None:
    """What is wrong with a write whatever the table is."""
    check_condition(statement.where, values)
    _check_source(statement.source.index)


def check_condition(where: Predicate | None, values: Substitutions) -> None:
    """What is wrong with a condition whatever the table is, key conditions included."""
    if where is not None:
        bound_condition(where, values)


def bound_condition(predicate: Predicate, values: Substitutions) -> Condition:
    """Unlike in an expression, what is wrong is told without the parameter that it stands in."""
    try:
        return condition_from(predicate, values)
    except ExpressionProblem as problem:
        raise ValidationError(problem.reason) from None


def _bound_update(tree: UpdateTree, values: Substitutions) -> BoundUpdate:
    for action in (action for section in tree.sections for action in section.actions):
        if isinstance(action, AddAction | DeleteAction):
            _check_members(action, values)
    try:
        return update_from(tree, values)
    except ExpressionProblem as problem:
        raise ValidationError(problem.reason) from None


def _check_members(action: AddAction | DeleteAction, values: Substitutions) -> None:
    """That a literal is a set is seen by its text."""
    if isinstance(action.value, ValuePlaceholder) and type_of(values.value_of(action.value.text)) not in set_types:
        name = "SET_ADD" if isinstance(action, AddAction) else "SET_DELETE"
        raise ValidationError(f"The second argument to {name} must be a value with type SET")


def _check_source(index: str | None) -> None:
    if index is not None:
        raise ValidationError("This operation is not supported on an index")
