"""The attributes of keys are defined in the request that brings the keys."""

from collections.abc import Sequence

from services.region.rules.hash_sets import as_expected_set
from shared.errors import ValidationError


def check_defined(keys: Sequence[str], defined: Sequence[str]) -> None:
    """`keys` are the names of one table's or one index's attributes."""
    if set(keys) <= set(defined):
        return
    if len(set(keys)) > len(defined):
        raise no_definition()
    raise ValidationError(
        "One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. "
        f"Keys: [{', '.join(as_expected_set(keys))}], AttributeDefinitions: [{', '.join(as_expected_set(defined))}]"
    )


def no_definition() -> ValidationError:
    return ValidationError("Invalid KeySchema: Some index key attribute have no definition")
