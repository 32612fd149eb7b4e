"""What the service takes, gives and refuses with, as AWS describes it to its own clients.

Shapes are botocore's; they are `Any` here because botocore ships no types.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from botocore.loaders import Loader
from botocore.model import ServiceModel

_services = ("dynamodb", "dynamodbstreams")


class Operation(NamedTuple):
    name: str
    asked: Any  # the shape of a request
    answered: Any  # the shape of a reply, or None if it says nothing
    errors: frozenset[str]


def operations_by_target() -> Mapping[str, Operation]:
    """All operations of both services, by the target that a request names."""
    return {
        f"{model.metadata['targetPrefix']}.{name}": _operation(model.operation_model(name))
        for model in (ServiceModel(Loader().load_service_model(service, "service-2")) for service in _services)
        for name in model.operation_names
    }


def _operation(model: Any) -> Operation:
    errors = frozenset(shape.name for shape in model.error_shapes)
    return Operation(model.name, model.input_shape, model.output_shape, errors)
