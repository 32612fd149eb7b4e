"""ARNs: how this region's tables are named, and which of the ARNs that requests give mean one of them."""

import re
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from services.region.commands.names import NameInArn
from services.region.commands.table_calls import Resource
from shared.errors import AccessDeniedError, ValidationError

partition = "aws"
managed_key = "alias/aws/dynamodb"
_invalid = "One or more parameter values were invalid: "
_resource = re.compile(
    r"arn:(?P<partition>[^:]*):dynamodb:(?P<region>[^:]*):(?P<account>[^:]*):table/(?P<table>[a-zA-Z0-9_.-]{3,255})"
    r"(?:/(?P<kind>index|stream)/(?P<name>[^/]+))?"
).fullmatch
_of_another_service = re.compile(r"arn:[^:]*:(?!dynamodb:)[^:]+:[^:]*:[^:]*:.+").fullmatch


@dataclass(frozen=True, slots=True)
class Arns:
    """How this endpoint names its tables and keys."""

    region: str
    account: str

    def of_table(self, name: str) -> str:
        return f"arn:{partition}:dynamodb:{self.region}:{self.account}:table/{name}"

    def of_stream(self, table: str, label: str) -> str:
        return f"{self.of_table(table)}/stream/{label}"

    def of_key(self, key: str | None) -> str:
        """Of an encryption key by its id, alias or ARN; None is the key that the service keeps for tables."""
        named = managed_key if key is None else key
        if named.startswith("arn:"):
            return named
        if named.startswith("alias/"):
            named = str(uuid5(NAMESPACE_URL, f"{self.region}/{self.account}/{named}"))
        return f"arn:{partition}:kms:{self.region}:{self.account}:key/{named}"

    def check_own(self, name: NameInArn) -> None:
        """Raises unless the ARN that the name came in is one of this endpoint's."""
        if name.aws_partition != partition:
            raise ValidationError(f"1 validation error detected: Invalid AWS partition in '{name.arn}'")
        if name.region != self.region:
            raise ValidationError(f"1 validation error detected: Invalid AWS region in '{name.arn}'")
        if name.account != self.account:
            raise AccessDeniedError

    def tagged(self, arn: str) -> Resource:
        """What calls for tags mean by this ARN: a table of this endpoint's, or a stream of it."""
        if _of_another_service(arn):
            raise AccessDeniedError
        match = _read(arn)
        if match["account"] != self.account:
            raise AccessDeniedError
        if (match["partition"], match["region"]) != (partition, self.region):
            raise ValidationError(f"Invalid TableArn: Invalid ResourceArn provided as input {arn}")
        return Resource(match["table"], match["name"] or "")

    def with_policy(self, arn: str) -> Resource:
        """What calls for policies mean by this ARN: a table of this endpoint's, or a stream of it."""
        match = _read(arn)
        if (match["partition"], match["region"]) != (partition, self.region):
            raise ValidationError(f"{_invalid}Invalid resource Arn: {arn}")
        if match["account"] != self.account:
            raise ValidationError("This action is only supported by accounts that match the resource owner’s account.")
        return Resource(match["table"], match["name"] or "")


def _read(arn: str) -> re.Match[str]:
    if not arn.startswith("arn:"):
        raise ValidationError(f"{_invalid}ARNs must start with 'arn:': {arn}")
    match = _resource(arn)
    if match is None:
        raise ValidationError(f"{_invalid}Provided Arn is not a DynamoDB resource arn: {arn}")
    if match["kind"] == "index":
        raise ValidationError(
            f"{_invalid}Invalid resource arn provided, only table or stream is accepted. Provided resource arn: {arn}"
        )
    return match
