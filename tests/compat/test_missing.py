"""What is not here says so: operations that are not built are unknown ones."""

import pytest

from tests.compat.connection import connected
from tests.compat.features import features

[missing] = [each for each in features() if "missing" in each.tests]


@pytest.mark.parametrize("operation", missing.operations)
def test_an_operation_that_is_not_built_is_unknown(url: str, operation: str) -> None:
    with connected(url) as connection:
        reply = connection.ask(operation, b"{}")
    assert (reply.status, reply.error) == (400, "UnknownOperationException")
