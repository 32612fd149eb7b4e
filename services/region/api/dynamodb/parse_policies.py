"""PutResourcePolicy, GetResourcePolicy and DeleteResourcePolicy: statements in DynamoDB's order of checks."""

from typing import Any

from services.region.api.dynamodb import constraints
from services.region.api.dynamodb import members as shapes
from services.region.api.dynamodb.members import Text, structure
from services.region.commands.table_calls import DeleteResourcePolicy, GetResourcePolicy, PutResourcePolicy
from services.region.rules.resource_policies import canonical_policy

_arn = Text(length_min=1, length_max=1283)
_revision = Text(length_min=1, length_max=255)
_put = structure(
    "PutResourcePolicyInput",
    *("ResourceArn", "Policy"),
    ResourceArn=_arn,
    Policy=shapes.text,
    ExpectedRevisionId=_revision,
    ConfirmRemoveSelfResourceAccess=shapes.flag,
)
_get = structure("GetResourcePolicyInput", "ResourceArn", ResourceArn=_arn)
_delete = structure("DeleteResourcePolicyInput", "ResourceArn", ResourceArn=_arn, ExpectedRevisionId=_revision)


def parse_put_resource_policy(request: dict[str, Any]) -> PutResourcePolicy:
    members = _put.read(request)
    constraints.check(members, _put)
    arn = members["ResourceArn"]
    document = canonical_policy(members["Policy"], of_stream="/stream/" in arn)
    return PutResourcePolicy(arn, document, members.get("ExpectedRevisionId"))


def parse_get_resource_policy(request: dict[str, Any]) -> GetResourcePolicy:
    members = _get.read(request)
    constraints.check(members, _get)
    return GetResourcePolicy(members["ResourceArn"])


def parse_delete_resource_policy(request: dict[str, Any]) -> DeleteResourcePolicy:
    members = _delete.read(request)
    constraints.check(members, _delete)
    return DeleteResourcePolicy(members["ResourceArn"], members.get("ExpectedRevisionId"))
