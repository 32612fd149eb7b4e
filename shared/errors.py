"""One tree of errors: the class carries the wire code, the HTTP status and whether a client may retry.

Codes, namespaces and statuses are those of DynamoDB's API reference ("Error handling with DynamoDB");
each protocol edge turns them into a reply in exactly one place.
"""

from typing import ClassVar

CORAL_VALIDATE = "com.amazon.coral.validate"
CORAL_SERVICE = "com.amazon.coral.service"
DYNAMODB = "com.amazonaws.dynamodb.v20120810"


class MeridianError(Exception):
    """Everything that Meridian raises on purpose."""


class OperatorError(MeridianError):
    """Something that the person who runs Meridian can mend: what happened, why, and what to try next."""

    def __init__(self, what: str, *, why: str, next_step: str) -> None:
        super().__init__(f"{what}: {why}. {next_step}")
        self.what = what
        self.why = why
        self.next_step = next_step


class ServiceError(MeridianError):
    """An error that a client of the table service gets; `message` is DynamoDB's wording."""

    code: ClassVar[str] = "InternalServerError"
    namespace: ClassVar[str] = DYNAMODB
    status: ClassVar[int] = 400
    retryable: ClassVar[bool] = False

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message


class ValidationError(ServiceError):
    code = "ValidationException"
    namespace = CORAL_VALIDATE


class SerializationError(ServiceError):
    """The body is not JSON, or a member has another JSON type than the service model says."""

    code = "SerializationException"
    namespace = CORAL_SERVICE


class UnknownOperationError(ServiceError):
    code = "UnknownOperationException"
    namespace = CORAL_SERVICE


class RequestTooLargeError(ServiceError):
    code = "RequestEntityTooLargeException"
    namespace = CORAL_SERVICE
    status = 413


class MissingAuthenticationTokenError(ServiceError):
    code = "MissingAuthenticationTokenException"
    namespace = CORAL_SERVICE

    def __init__(self, message: str = "Request is missing Authentication Token") -> None:
        super().__init__(message)


class IncompleteSignatureError(ServiceError):
    code = "IncompleteSignatureException"
    namespace = CORAL_SERVICE


class InvalidSignatureError(ServiceError):
    code = "InvalidSignatureException"
    namespace = CORAL_SERVICE


class ResourceNotFoundError(ServiceError):
    code = "ResourceNotFoundException"

    def __init__(self, message: str = "Requested resource not found") -> None:
        super().__init__(message)


class ResourceInUseError(ServiceError):
    code = "ResourceInUseException"


class LimitExceededError(ServiceError):
    code = "LimitExceededException"


class ReplicaNotFoundError(ServiceError):
    code = "ReplicaNotFoundException"


class ConditionalCheckFailedError(ServiceError):
    """`item` is the stored image (encoded) when the request asked for it with ALL_OLD."""

    code = "ConditionalCheckFailedException"

    def __init__(self, *, item: bytes | None = None) -> None:
        super().__init__("The conditional request failed")
        self.item = item


class ThrottlingError(ServiceError):
    code = "ThrottlingException"
    retryable = True


class ServiceUnavailableError(ServiceError):
    """The region can't serve this now (it is stopping, or its disk is full); try again."""

    code = "ServiceUnavailable"
    namespace = CORAL_SERVICE
    status = 503
    retryable = True


class InternalServerError(ServiceError):
    code = "InternalServerError"
    status = 500
    retryable = True

    def __init__(self, message: str = "The request processing has failed because of an unknown error.") -> None:
        super().__init__(message)


class CorruptRecordError(MeridianError):
    """Bytes that were stored or sent are not what their format says."""


class RequestRefusedError(MeridianError):
    """An internal route refuses a request of a replicator; `reason` is a stable word for its decisions."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message
