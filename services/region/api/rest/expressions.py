"""The expressions of a request body, bound to its names and values; their errors are in DynamoDB's words."""

from services.region.api.rest.plain_values import attributes_of
from services.region.api.rest.requests import ExpressionsBody
from services.region.expressions.conditions import Condition, bind_condition
from services.region.expressions.projections import Projection, bind_projection
from services.region.expressions.substitutions import Substitutions
from shared.errors import ValidationError


def substitutions_of(body: ExpressionsBody) -> Substitutions:
    values = attributes_of(body.values) if body.values else None
    if values is not None and values.problem is not None:
        placeholder, message = values.problem
        raise ValidationError(f"values: {placeholder}: {message}")
    return Substitutions(body.names or None, None if values is None else values.item)


def condition_of(text: str | None, substitutions: Substitutions, *, parameter: str) -> Condition | None:
    return None if text is None else bind_condition(text, substitutions, parameter=parameter)


def projection_of(text: str | None, substitutions: Substitutions) -> Projection | None:
    return None if text is None else bind_projection(text, substitutions)
