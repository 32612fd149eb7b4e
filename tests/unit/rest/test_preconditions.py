"""Entity tags and conditional requests: what the headers ask for, and what is refused."""

import pytest
from starlette.datastructures import Headers

from services.region.api.rest.preconditions import entity_tag, guard_of, is_known
from services.region.commands.items import Guard, no_guard
from shared.errors import ValidationError
from shared.versions.versions import Version

_version = Version(117652470919659520, 3)


def test_a_tag_asks_for_its_version() -> None:
    assert guard_of(Headers({"If-Match": entity_tag(_version)})) == Guard(version=_version)


def test_without_headers_nothing_is_asked() -> None:
    assert guard_of(Headers({})) is no_guard


def test_stars_ask_for_presence_and_absence() -> None:
    assert guard_of(Headers({"If-Match": "*"})) == Guard(present=True)
    assert guard_of(Headers({"If-None-Match": " * "})) == Guard(absent=True)


@pytest.mark.parametrize("tag", ['"abc"', '""', f"W/{entity_tag(_version)}", '"1-1-1"'])
def test_a_tag_that_is_not_ours_matches_no_item(tag: str) -> None:
    """Weak tags included: If-Match compares strongly."""
    assert guard_of(Headers({"If-Match": tag})).version == Version(0, 0)


@pytest.mark.parametrize("text", ["117-1", '"a', 'W"a"', '"a" "b"', "", '"a",'])
def test_a_malformed_tag_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        guard_of(Headers({"If-Match": text}))


@pytest.mark.parametrize(
    "headers", [{"If-None-Match": '"1-1"'}, {"If-Match": '"1-1", "2-1"'}], ids=["not one of", "any of"]
)
def test_what_a_write_cannot_judge_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        guard_of(Headers(headers))


def test_a_reader_may_know_the_version_among_others() -> None:
    assert is_known(Headers({"If-None-Match": f'"x", W/{entity_tag(_version)}'}), _version)
    assert is_known(Headers({"If-None-Match": "*"}), _version)
    assert not is_known(Headers({"If-None-Match": '"1-1"'}), _version)
    assert not is_known(Headers({}), _version)
