"""An item's version as its entity tag, and the conditional requests of RFC 9110 that go with it."""

import re
from collections.abc import Sequence

from starlette.datastructures import Headers

from services.region.commands.items import Guard, no_guard
from shared.errors import ValidationError
from shared.versions.versions import Version

_entity_tag = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_entity_tags = re.compile(rf"[ \t]*{_entity_tag.pattern}[ \t]*(?:,[ \t]*{_entity_tag.pattern}[ \t]*)*")
_version = re.compile(r"([0-9]{1,20})-([0-9]{1,3})", re.ASCII)
_no_version = Version(0, 0)  # of no item


def entity_tag(version: Version) -> str:
    return f'"{version.timestamp}-{version.region}"'


def guard_of(headers: Headers) -> Guard:
    """What If-Match and If-None-Match ask of the stored item before it is written."""
    match, none_match = headers.get("if-match"), headers.get("if-none-match")
    if none_match is not None and none_match.strip() != "*":
        raise ValidationError('A write takes If-None-Match: * only, which means "unless the item exists"')
    if match is None:
        return no_guard if none_match is None else Guard(absent=True)
    if match.strip() == "*":
        return Guard(present=True, absent=none_match is not None)
    tags = _tags(match, "If-Match")
    if len(tags) > 1:
        raise ValidationError("A write takes one entity tag in If-Match")
    return Guard(version=_version_of(tags[0]), absent=none_match is not None)


def is_known(headers: Headers, version: Version) -> bool:
    """Whether a reader says with If-None-Match that it has this version already."""
    known = headers.get("if-none-match")
    if known is None:
        return False
    return known.strip() == "*" or any(_version_of(tag.removeprefix("W/")) == version for tag in _tags(known))


def _tags(text: str, header: str = "If-None-Match") -> Sequence[str]:
    if not _entity_tags.fullmatch(text):
        raise ValidationError(f'{header} takes entity tags as the ETag header gives them, with their quotes: "1-1"')
    return [found[0] for found in _entity_tag.finditer(text)]


def _version_of(tag: str) -> Version:
    """A tag that is not of this service's making, or weak, is the version of no item."""
    match = _version.fullmatch(tag[1:-1])
    return _no_version if match is None else Version(int(match[1]), int(match[2]))
