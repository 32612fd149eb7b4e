"""Every statement of a partition file runs on the index that it was written for."""

import re
from pathlib import Path

import apsw
import pytest

from services.region.storage import statements
from tests.unit.storage.folders import open_file

_queries = {
    name: text
    for name, text in vars(statements).items()
    if isinstance(text, str) and re.match(r"(SELECT|INSERT|UPDATE|DELETE)\b", text)
}


def plan(connection: apsw.Connection, statement: str) -> list[str]:
    bindings = (1,) * statement.count("?")
    return [detail for *_, detail in connection.execute(f"EXPLAIN QUERY PLAN {statement}", bindings)]


@pytest.mark.parametrize("name", sorted(_queries))
def test_no_statement_scans_a_table_or_sorts_unless_intended(tmp_path: Path, name: str) -> None:
    file = open_file(tmp_path)
    steps = plan(file.connection, _queries[name])
    assert not any("TEMP B-TREE" in step for step in steps), steps
    scans = [step for step in steps if step.startswith("SCAN")]
    assert bool(scans) == (name in statements.full_scans_intended), steps


def test_the_check_finds_a_scan(tmp_path: Path) -> None:
    """Negative control."""
    assert plan(open_file(tmp_path).connection, "SELECT * FROM items WHERE timestamp = ?")[0].startswith("SCAN")


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("read_item", "PRIMARY KEY (slot=? AND pk=? AND sk=?)"),
        ("read_collection", "PRIMARY KEY (slot=? AND pk=? AND sk>? AND sk<?)"),
        ("read_collection_backward", "PRIMARY KEY (slot=? AND pk=? AND sk>? AND sk<?)"),
        ("scan_items", "PRIMARY KEY ((slot,pk,sk)>(?,?,?) AND slot<?)"),
        ("scan_rows", "PRIMARY KEY ((slot,pk,sk)>(?,?,?) AND slot<?)"),
        ("read_own_changes", "INTEGER PRIMARY KEY (rowid>?)"),
        (
            "read_index_collection",
            "PRIMARY KEY (number=? AND pk=? AND (sk,slot,base_pk,base_sk)>(?,?,?,?) AND sk<?)",
        ),
        (
            "read_index_collection_backward",
            "PRIMARY KEY (number=? AND pk=? AND sk>? AND (sk,slot,base_pk,base_sk)<(?,?,?,?))",
        ),
        ("scan_index", "PRIMARY KEY (number=? AND (pk,sk,slot,base_pk,base_sk)>(?,?,?,?,?))"),
    ],
)
def test_ranges_bound_the_index_on_both_sides(tmp_path: Path, name: str, index: str) -> None:
    """A range that is bounded on one side only reads, for one item collection, the rest of the table."""
    assert plan(open_file(tmp_path).connection, _queries[name])[0].endswith(index)
