"""ExecuteStatement, BatchExecuteStatement and ExecuteTransaction: each parser's statements stand in DynamoDB's order.

In a batch everything that is wrong with one statement is told of that statement alone, in the reply.
"""

from collections.abc import Iterator
from hashlib import blake2b
from itertools import starmap
from typing import Any

import orjson

from services.region.api.dynamodb import constraints
from services.region.api.dynamodb import members as shapes
from services.region.api.dynamodb.members import ListOf, Members, Text, Whole, structure
from services.region.api.dynamodb.parameters import capacity_wish, no_substitutions
from services.region.api.dynamodb.table_names import table_name_of
from services.region.commands.statements import (
    BatchExecuteStatement,
    ExecuteStatement,
    ExecuteTransaction,
    Exists,
    Insert,
    RequestedStatement,
    Statement,
)
from services.region.commands.transactions import ClientToken, parameters_bytes
from services.region.expressions.substitutions import Substitutions
from services.region.partiql.statements import ParsedStatement, parse_statement
from shared import limits
from shared.errors import ServiceError, ValidationError
from shared.model.values import AttributeValue

_text = Text(length_min=1, length_max=limits.statement_chars_max)
_parameters = ListOf(shapes.AttributeValue(limits.operand_levels_max, older_words=True), length_min=1)
_execute_statement = structure(
    "ExecuteStatementInput",
    "Statement",
    Statement=_text,
    Parameters=_parameters,
    ConsistentRead=shapes.flag,
    NextToken=Text(length_min=1, length_max=limits.next_token_chars_max),
    ReturnConsumedCapacity=shapes.return_consumed_capacity,
    Limit=Whole("Integer", min=1),
    ReturnValuesOnConditionCheckFailure=shapes.return_values_on_failure,
)
_batch_execute_statement = structure(
    "BatchExecuteStatementInput",
    "Statements",
    Statements=ListOf(
        structure(
            "BatchStatementRequest",
            "Statement",
            Statement=_text,
            Parameters=_parameters,
            ConsistentRead=shapes.flag,
            ReturnValuesOnConditionCheckFailure=shapes.return_values_on_failure,
        ),
        length_min=1,
        length_max=limits.batch_statements_max,
    ),
    ReturnConsumedCapacity=shapes.return_consumed_capacity,
)
_execute_transaction = structure(
    "ExecuteTransactionInput",
    "TransactStatements",
    TransactStatements=ListOf(
        structure(
            "ParameterizedStatement",
            "Statement",
            Statement=_text,
            Parameters=_parameters,
            ReturnValuesOnConditionCheckFailure=shapes.return_values_on_failure,
        ),
        length_min=1,
        length_max=limits.transaction_actions_max,
    ),
    ClientRequestToken=Text(length_min=1, length_max=limits.transaction_token_chars_max),
    ReturnConsumedCapacity=shapes.return_consumed_capacity,
)
_wrong_table = "Table name should be within the length [3, 255] and only contain 'a-z', 'A-Z', '0-9', '-', '_', '.'."


def parse_execute_statement(request: dict[str, Any]) -> ExecuteStatement:
    members = _execute_statement.read(request)
    constraints.check(members, _execute_statement)
    return ExecuteStatement(
        _requested(members),
        digest=_digest([members]),
        limit=members.get("Limit"),
        next_token=members.get("NextToken"),
        return_consumed_capacity=capacity_wish(members),
    )


def parse_batch_execute_statement(request: dict[str, Any]) -> BatchExecuteStatement:
    members = _batch_execute_statement.read(request)
    constraints.check(members, _batch_execute_statement)
    return BatchExecuteStatement(map(_requested_or_error, members["Statements"]), capacity_wish(members))


def parse_execute_transaction(request: dict[str, Any]) -> ExecuteTransaction:
    members = _execute_transaction.read(request)
    constraints.check(members, _execute_transaction)
    statements = starmap(_transacted, enumerate(members["TransactStatements"]))
    return ExecuteTransaction(statements, _client_token_of(members), capacity_wish(members))


def _requested_or_error(members: Members) -> RequestedStatement | ServiceError:
    try:
        return _requested(members)
    except ServiceError as error:
        return error.with_traceback(None)  # which holds all that was read so far


def _transacted(position: int, members: Members) -> RequestedStatement:
    """What is wrong with a text is told with its place among the others, a bad parameter without."""
    values = list(_values(members))
    try:
        parsed = parse_statement(members["Statement"])
        _check_count(values, parsed)
    except ValidationError as error:
        raise ValidationError(f"Validation failed in TransactStatements[{position}]: {error.message}") from None
    return _with_values(members, parsed, values)


def _requested(members: Members) -> RequestedStatement:
    values = list(_values(members))
    parsed = parse_statement(members["Statement"])
    _check_count(values, parsed)
    return _with_values(members, parsed, values)


def _check_count(values: list[AttributeValue], parsed: ParsedStatement) -> None:
    if len(values) < parsed.parameters:
        raise ValidationError("Number of parameters in request and statement don't match.")


def _with_values(members: Members, parsed: ParsedStatement, values: list[AttributeValue]) -> RequestedStatement:
    statement = parsed.statement
    table = table_name_of(_table_of(statement))
    if table is None:
        raise ValidationError(_wrong_table)
    return RequestedStatement(
        statement,
        table,
        _substitutions(values),
        consistent=members.get("ConsistentRead", False),
        return_item_on_failure=members.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD",
    )


def _values(members: Members) -> Iterator[AttributeValue]:
    for parameter in members.get("Parameters", ()):
        if parameter.problem is not None:
            raise ValidationError(parameter.problem)
        yield parameter.value


def _substitutions(values: list[AttributeValue]) -> Substitutions:
    if not values:
        return no_substitutions
    return Substitutions(None, {f":{number}": value for number, value in enumerate(values, 1)})


def _table_of(statement: Statement) -> str:
    if isinstance(statement, Insert):
        return statement.table
    select = statement.select if isinstance(statement, Exists) else statement
    return select.source.table


def _client_token_of(members: Members) -> ClientToken | None:
    """TransactWriteItems has tokens of its own."""
    token = members.get("ClientRequestToken")
    return None if token is None else ClientToken(f"statements {token}", _digest(members["TransactStatements"]))


def _digest(statements: list[Members]) -> bytes:
    """Of the texts and their parameters, whatever else the requests ask for."""
    said = [[each["Statement"], [value.value for value in each.get("Parameters", ())]] for each in statements]
    return blake2b(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), digest_size=parameters_bytes).digest()
