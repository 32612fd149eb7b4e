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


class SizeProblem(ExpressionProblem):
    """The expression is too long; how long it is, is only told of conditions and filters."""

    def __init__(self, length_bytes: int) -> None:
        super().__init__("Expression size has exceeded the maximum allowed size;")
        self._length_bytes = length_bytes

    def of(self, parameter: str) -> ValidationError:
        told = super().of(parameter)
        if parameter not in ("ConditionExpression", "FilterExpression"):
            return told
        return ValidationError(f"{told.message} expression size: {self._length_bytes}")
