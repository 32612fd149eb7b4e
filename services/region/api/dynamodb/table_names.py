"""Names of tables as requests give them: the name itself, or the table's ARN."""

import re
from functools import lru_cache

from services.region.commands.names import NameInArn

pattern = "[a-zA-Z0-9_.-]+"
arn_chars_max = 1024
arn_constraint = (
    "Valid ARN format is 'arn:<awsPartition>:<vendor>:<region>:<subscriber>:resourceType/resourceName', where Resource "
    "name must have length less than or equal to 255, Resource name must have length greater than or equal to 3, "
    f"Resource name must satisfy regular expression pattern: {pattern}"
)
_name = re.compile(r"(?:arn:[^:]*:dynamodb:[^:]*:[^:]*:table/)?([a-zA-Z0-9_.-]{3,255})").fullmatch


def table_name_of(name_or_arn: str) -> str | None:
    """The table's name (a `NameInArn` if an ARN was given), or None if this names no table."""
    return _name_of(name_or_arn) if len(name_or_arn) <= arn_chars_max else None


@lru_cache(maxsize=4096)
def _name_of(name_or_arn: str) -> str | None:
    match = _name(name_or_arn)
    if match is None:
        return None
    return match[1] if match[1] == name_or_arn else NameInArn(match[1], arn=name_or_arn)
