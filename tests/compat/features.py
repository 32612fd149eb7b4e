"""The compatibility table: what DynamoDB has, what is here, and the tests that show it. `features.toml` holds it."""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

folder = Path(__file__).parent
readme = folder.parents[1] / "README.md"
_head = "| DynamoDB | here | tests |\n|---|---|---|\n"


class Feature(NamedTuple):
    topic: str
    name: str
    here: str
    tests: Sequence[str]  # files of this folder, without `test_`

    @property
    def operations(self) -> Sequence[str]:
        return re.findall(r"(?<!`)\b(?!DynamoDB)(?:[A-Z][a-z]+[A-Z]\w+|Query|Scan)\b", self.name)

    @property
    def row(self) -> str:
        links = " ".join(f"[{index}](tests/compat/test_{name}.py)" for index, name in enumerate(self.tests, start=1))
        return f"| {f'**{self.topic}** {self.name}'.strip()} | {self.here} | {links} |\n"


def features() -> Sequence[Feature]:
    found = tomllib.loads((folder / "features.toml").read_text(encoding="utf-8"))["feature"]
    return [Feature(each["topic"], _line(each["name"]), _line(each["here"]), each["tests"]) for each in found]


def with_table(text: str) -> str:
    """A README with the table as it is to be."""
    start = text.index("| DynamoDB | here |")
    end = text.index("\n\n", start) + 1
    return text[:start] + _head + "".join(each.row for each in features()) + text[end:]


def _line(text: str) -> str:
    return " ".join(text.split())
