"""What is wrong with an expression, before anybody knows which request parameter it came from."""

from shared.errors import MeridianError, ValidationError


class ExpressionProblem(MeridianError):  # noqa: N818
    """Raised while an expression is parsed or bound; `reason` is DynamoDB's wording without the parameter's name."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def of(self, parameter: str) -> ValidationError:
        """The error that the client gets: `parameter` is, for example, "ConditionExpression"."""
        return ValidationError(f"Invalid {parameter}: {self.reason}")
