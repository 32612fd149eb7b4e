"""The tree of errors: each service error has the code, the namespace and the status of DynamoDB's reference."""

import pytest

from shared import errors
from shared.errors import MeridianError, OperatorError, ServiceError

service_errors = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, ServiceError)]


@pytest.mark.parametrize("kind", service_errors, ids=lambda kind: kind.__name__)
def test_a_client_may_retry_what_is_the_services_fault(kind: type[ServiceError]) -> None:
    assert kind.status in (400, 413, 500, 503)
    if kind is not ServiceError:
        assert kind.retryable == (kind.status >= 500 or kind.code == "ThrottlingException")


@pytest.mark.parametrize("kind", service_errors, ids=lambda kind: kind.__name__)
def test_codes_are_qualified_by_a_namespace_of_aws(kind: type[ServiceError]) -> None:
    assert kind.namespace.startswith("com.amazon")
    assert kind.code.endswith(("Exception", "Error", "Unavailable"))


def test_an_operator_is_told_what_why_and_what_to_do() -> None:
    error = OperatorError("it failed", why="the disk is full", next_step="Make room")
    assert str(error) == "it failed: the disk is full. Make room"
    assert isinstance(error, MeridianError)
