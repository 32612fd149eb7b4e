"""What was ever stored or sent can be read, and what is written today is what its golden file says.

A failure here means that a format has changed under its number. Give it a new number, and let `python -m tests.golden`
add a file; only before the first release may a file be made anew.
"""

from pathlib import Path

import pytest

from tests.golden.files_of import missing, read, schema_names, schema_path, schemas
from tests.golden.formats import Format, folder, formats

by_name = {each.name: each for each in formats}
golden_files = sorted(folder.glob("*.json"))


def format_of(path: Path) -> tuple[Format, int]:
    name, number, _ = path.name.split(".")
    return by_name[name], int(number)


def test_every_format_has_a_golden_file() -> None:
    assert missing() == []


@pytest.mark.parametrize("path", golden_files, ids=lambda path: path.name)
def test_what_was_written_once_is_still_read(path: Path) -> None:
    format_, _ = format_of(path)
    for example in read(path):
        assert format_.decode is None or format_.decode(example.encoded) == example.document, example.name


@pytest.mark.parametrize("path", golden_files, ids=lambda path: path.name)
def test_what_is_written_today_has_the_same_bytes(path: Path) -> None:
    format_, number = format_of(path)
    for example in read(path):
        assert number < format_.number or format_.encode(example.document) == example.encoded, example.name


@pytest.mark.parametrize("format_", formats, ids=lambda format_: format_.name)
def test_every_example_of_today_is_in_the_golden_file(format_: Format) -> None:
    kept = {example.name: example.document for example in read(folder / f"{format_.name}.{format_.number}.json")}
    assert kept == format_.examples


@pytest.mark.parametrize("name", schema_names)
def test_databases_have_the_schema_of_their_format_number(name: str) -> None:
    assert schemas()[name] == schema_path(name).read_text(encoding="utf-8")
