"""One tree of errors: the class carries the wire code, the HTTP status and whether a client may retry.

Codes, namespaces and statuses are those of DynamoDB's API reference ("Error handling with DynamoDB");
each protocol edge turns them into a reply in exactly one place.
"""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

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


class AccessDeniedError(ServiceError):
    code = "AccessDeniedException"
    namespace = CORAL_SERVICE

    def __init__(self, message: str = "Access is denied") -> None:
        super().__init__(message)


class TableNotFoundError(ServiceError):
    """What the calls for backups say instead of `ResourceNotFoundError`."""

    code = "TableNotFoundException"


class GlobalTableNotFoundError(ServiceError):
    code = "GlobalTableNotFoundException"


class PolicyNotFoundError(ServiceError):
    code = "PolicyNotFoundException"


class ResourceInUseError(ServiceError):
    code = "ResourceInUseException"


class LimitExceededError(ServiceError):
    code = "LimitExceededException"


class ItemCollectionSizeLimitExceededError(ServiceError):
    code = "ItemCollectionSizeLimitExceededException"


class ConditionalCheckFailedError(ServiceError):
    """`item` is the stored image (encoded) when the request asked for it with ALL_OLD."""

    code = "ConditionalCheckFailedException"

    def __init__(self, *, item: bytes | None = None) -> None:
        super().__init__("The conditional request failed")
        self.item = item


class DuplicateItemError(ServiceError):
    """An INSERT of a key that is taken; `item` is the stored image (encoded) when the statement asked for it."""

    code = "DuplicateItemException"

    def __init__(self, *, item: bytes | None = None) -> None:
        super().__init__("Duplicate primary key exists in table")
        self.item = item


class TrimmedDataAccessError(ServiceError):
    code = "TrimmedDataAccessException"

    def __init__(
        self, message: str = "The operation attempted to read past the oldest stream record in a shard."
    ) -> None:
        super().__init__(message)


class ExpiredIteratorError(ServiceError):
    code = "ExpiredIteratorException"


class CancellationReason(NamedTuple):
    """What one action has to do with the end of its transaction; `item` is a stored image (encoded)."""

    code: str = "None"
    message: str = ""
    item: bytes | None = None


class TransactionCanceledError(ServiceError):
    """`reasons` has one for each action, in their order; nothing of the transaction was done."""

    code = "TransactionCanceledException"

    def __init__(self, reasons: Sequence[CancellationReason]) -> None:
        codes = ", ".join(reason.code for reason in reasons)
        super().__init__(f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]")
        self.reasons = reasons


class TransactionInProgressError(ServiceError):
    code = "TransactionInProgressException"

    def __init__(self) -> None:
        super().__init__("The transaction with the given request token is already in progress.")


class IdempotentParameterMismatchError(ServiceError):
    code = "IdempotentParameterMismatchException"

    def __init__(self) -> None:
        super().__init__(
            "DynamoDB rejected the request because you retried a request with a different payload but with an"
            " idempotent token that was already used."
        )


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
