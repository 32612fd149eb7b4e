"""Names of tables as requests give them: the name itself, or the table's ARN."""

import re
from functools import lru_cache

pattern = "[a-zA-Z0-9_.-]+"
arn_chars_max = 1024
_name = re.compile(r"(?:arn:[^:]*:dynamodb:[^:]*:[^:]*:table/)?([a-zA-Z0-9_.-]{3,255})").fullmatch


def table_name_of(name_or_arn: str) -> str | None:
    """The table's name, or None if this names no table."""
    return _name_of(name_or_arn) if len(name_or_arn) <= arn_chars_max else None


@lru_cache(maxsize=4096)
def _name_of(name_or_arn: str) -> str | None:
    match = _name(name_or_arn)
    return None if match is None else match[1]
