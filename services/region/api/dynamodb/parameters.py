"""Parameters that several operations share: which go together, and what they become in a command."""

from collections.abc import Iterable, Mapping, Sequence

from services.region.api.dynamodb.attribute_values import Attributes, is_too_large, wrong_name
from services.region.api.dynamodb.constraints import BareError
from services.region.api.dynamodb.members import Members
from services.region.api.dynamodb.table_names import table_name_of
from services.region.commands.items import ReturnConsumedCapacity
from services.region.expressions.conditions import Condition, bind_condition
from services.region.expressions.nodes import Path
from services.region.expressions.projections import Projection, bind_projection, projection_from
from services.region.expressions.substitutions import NameSizeError, Substitutions
from services.region.expressions.update_sizes import update_size_bytes, update_size_max_bytes
from shared.errors import ValidationError
from shared.limits import attribute_name_bytes_max, item_bytes_max, substitutions_bytes_max
from shared.model.sizes import text_size_bytes, value_size_bytes
from shared.model.values import Item

no_substitutions = Substitutions(None, None)


def check_combination(
    members: Members, expressions: Sequence[str], others: Sequence[str], *, names_missing: bool = True
) -> None:
    """Expressions never go with the older parameters, and substitutions never without expressions.

    `names_missing`: whether values without an expression are told which one is missing.
    """
    used = [name for name in expressions if name in members]
    if used and (older := [name for name in others if name in members]):
        raise ValidationError(
            "Can not use both expression and non-expression parameters in the same request: "
            f"Non-expression parameters: {{{', '.join(older)}}} Expression parameters: {{{', '.join(used)}}}"
        )
    if not used and "ExpressionAttributeNames" in members:
        raise ValidationError("ExpressionAttributeNames can only be specified when using expressions")
    if "ExpressionAttributeValues" in members:
        valued = [name for name in expressions if name != "ProjectionExpression"]
        if not any(name in members for name in valued):
            missing = f": {' and '.join(valued)} {'are' if len(valued) > 1 else 'is'} null" if names_missing else ""
            raise ValidationError(f"ExpressionAttributeValues can only be specified when using expressions{missing}")


def substitutions_of(members: Members) -> Substitutions:
    values = members.get("ExpressionAttributeValues")
    names = members.get("ExpressionAttributeNames")
    if values is None and names is None:
        return no_substitutions
    substitutions = Substitutions(names, None if values is None else values.item)
    if values is not None and values.problem is not None:
        placeholder, message = values.problem
        raise ValidationError(f"ExpressionAttributeValues contains invalid value: {message} for key {placeholder}")
    _check_substitutions_size(names or {}, values)
    return substitutions


def _check_substitutions_size(names: Mapping[str, str], values: Attributes | None) -> None:
    size_max_bytes = len(names) * attribute_name_bytes_max + (0 if values is None else values.size_max_bytes)
    if size_max_bytes > substitutions_bytes_max:
        size_bytes = sum(map(text_size_bytes, names.values()))
        size_bytes += 0 if values is None else sum(map(value_size_bytes, values.item.values()))
        if size_bytes > substitutions_bytes_max:
            raise ValidationError(
                "ExpressionAttributeNames and ExpressionAttributeValues have exceeded the maximum allowed size; "
                f"size: {size_bytes}"
            )


def substitutions_in_bare_words(members: Members) -> Substitutions:
    """As `substitutions_of`, but a wrong value and a name that is too long are told without their placeholders."""
    values = members.get("ExpressionAttributeValues")
    try:
        if values is None or values.problem is None:
            return substitutions_of(members)
        Substitutions(members.get("ExpressionAttributeNames"), values.item)
    except NameSizeError as error:
        raise ValidationError(error.reason) from None
    raise ValidationError(values.problem.message)


def condition_of(members: Members, parameter: str, substitutions: Substitutions) -> Condition | None:
    text = members.get(parameter)
    return None if text is None else bind_condition(text, substitutions, parameter=parameter)


def projection_of(members: Members, substitutions: Substitutions) -> Projection | None:
    """What ProjectionExpression or AttributesToGet asks for."""
    text = members.get("ProjectionExpression")
    if text is not None:
        return bind_projection(text, substitutions)
    names = members.get("AttributesToGet")
    return None if names is None else projection_from([Path((name,)) for name in names], substitutions)


def check_attributes_to_get(members: Members) -> None:
    names = members.get("AttributesToGet", ())
    check_names(names)
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValidationError(
                f"One or more parameter values were invalid: Duplicate value in attribute name: {name}"
            )
        seen.add(name)


def check_names(names: Iterable[str]) -> None:
    for name in names:
        if (message := wrong_name(name)) is not None:
            raise ValidationError(message)


def item_of(attributes: Attributes) -> Item:
    """The canonical item or key, or the first thing wrong with it."""
    if attributes.problem is not None:
        raise ValidationError(attributes.problem.message)
    return attributes.item


def check_item_size(attributes: Attributes) -> None:
    if is_too_large(attributes):
        raise BareError("Item size has exceeded the maximum allowed size")


def is_update_too_large(text: str, members: Members, substitutions: Substitutions) -> bool:
    """By the size of its expression and what it stands for; told once the table is known and the key fits it."""
    names = members.get("ExpressionAttributeNames")
    values = members.get("ExpressionAttributeValues")
    size_max_bytes = update_size_max_bytes(
        text,
        names_bytes=4 * sum(map(len, names.values())) if names else 0,
        values_bytes=values.size_max_bytes if values else 0,
    )
    return size_max_bytes > item_bytes_max and update_size_bytes(text, substitutions) > item_bytes_max


def table_of(members: Members) -> str:
    """The table's name, once the constraints hold."""
    name = table_name_of(members["TableName"])
    assert name is not None, "the constraints were checked"
    return name


def collection_wish(members: Members) -> bool:
    """Whether the size of the item collections is to be told."""
    return members.get("ReturnItemCollectionMetrics") == "SIZE"


def capacity_wish(members: Members) -> ReturnConsumedCapacity:
    return ReturnConsumedCapacity(members.get("ReturnConsumedCapacity", "NONE"))
