"""The README's compatibility table is that of the compatibility tests, and names all that DynamoDB has."""

import gzip
import json
import re
from collections import Counter
from pathlib import Path

import botocore
import pytest

from tests.compat.features import Feature, features, folder, readme, with_table

models = [
    json.loads(gzip.decompress(path.read_bytes()))
    for service in ("dynamodb", "dynamodbstreams")
    for path in (Path(botocore.__file__).parent / "data" / service).glob("*/service-2.json.gz")
]


def test_the_table_is_current() -> None:
    """`python -m tests.compat` makes it so."""
    text = readme.read_text(encoding="utf-8")
    assert text == with_table(text)


def test_every_operation_stands_in_one_row() -> None:
    known = {name for model in models for name in model["operations"]}
    named = Counter(name for feature in features() for name in feature.operations)
    assert named == Counter(known)


def test_every_row_begins_with_its_verdict() -> None:
    verdicts = ("**yes**", "**kept**", "**only answered**", "**not yet**")
    assert [feature.topic for feature in features() if not feature.here.startswith(verdicts)] == []


def test_every_file_of_tests_stands_in_the_table() -> None:
    named = {name for feature in features() for name in feature.tests}
    assert named == {path.stem.removeprefix("test_") for path in folder.glob("test_*.py")}


@pytest.mark.parametrize("feature", features(), ids=lambda feature: feature.topic)
def test_the_tests_of_a_row_call_its_operations(feature: Feature) -> None:
    sources = "".join((folder / f"test_{name}.py").read_text(encoding="utf-8") for name in feature.tests)
    if "missing" not in feature.tests:
        uncalled = [name for name in feature.operations if not re.search(rf"\b({name}|{_method(name)})\b", sources)]
        assert uncalled == []


def _method(operation: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
