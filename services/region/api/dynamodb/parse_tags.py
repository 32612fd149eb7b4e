"""TagResource, UntagResource and ListTagsOfResource: statements in DynamoDB's order of checks."""

from typing import Any

from services.region.api.dynamodb import constraints, parse_table_settings
from services.region.api.dynamodb import members as shapes
from services.region.api.dynamodb.members import ListOf, Members, Text, structure
from services.region.commands.table_calls import ListTagsOfResource, TagResource, UntagResource
from services.region.rules.tags import check_count, check_key, tags_of
from shared.errors import ValidationError

_arn = Text(length_max=1283)
_tag = structure("TagResourceInput", "Tags", ResourceArn=_arn, Tags=parse_table_settings.tag_list)
_untag = structure("UntagResourceInput", "TagKeys", ResourceArn=_arn, TagKeys=ListOf(shapes.text))
_list = structure("ListTagsOfResourceInput", ResourceArn=_arn, NextToken=shapes.text)


def parse_tag_resource(request: dict[str, Any]) -> TagResource:
    members = _tag.read(request)
    arn = _arn_of(members)
    constraints.check(members, _tag)
    return TagResource(arn, tags_of(members["Tags"]))


def parse_untag_resource(request: dict[str, Any]) -> UntagResource:
    members = _untag.read(request)
    arn = _arn_of(members)
    constraints.check(members, _untag)
    keys = members["TagKeys"]
    for key in keys:
        check_key(key)
    check_count(keys)
    return UntagResource(arn, keys)


def parse_list_tags_of_resource(request: dict[str, Any]) -> ListTagsOfResource:
    members = _list.read(request)
    arn = _arn_of(members)
    constraints.check(members, _list)
    return ListTagsOfResource(arn)


def _arn_of(members: Members) -> str:
    arn: str = members.get("ResourceArn", "")
    if not arn:
        raise ValidationError("Invalid TableArn")
    return arn
