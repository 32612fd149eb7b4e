"""The catalog: a region's tables survive its end, and nobody else's directory is taken for its own."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest

from services.region.rules.streams import KeptStream
from services.region.storage.catalog import Catalog, LocalTable, Stage
from shared.errors import OperatorError
from shared.model.keys import KeyAttribute, KeySchema
from shared.model.tables import Generation, RegionName, StreamSpecification, TableDefinition


class Opening(Protocol):
    def __call__(self, region: str = "here", number: int = 1) -> Catalog: ...


@pytest.fixture
def open_catalog(tmp_path: Path) -> Iterator[Opening]:
    with ExitStack() as opened:

        def open_(region: str = "here", number: int = 1) -> Catalog:
            return opened.enter_context(closing(Catalog(tmp_path / "catalog.db", region=region, number=number)))

        yield open_


def definition(name: str, *, generation: bytes = b"g" * 16) -> TableDefinition:
    return TableDefinition(
        generation=Generation(generation),
        name=name,
        key_schema=KeySchema(KeyAttribute("pk", "S"), KeyAttribute("sk", "N")),
        partition_count=4,
        replicas=(RegionName("here"), RegionName("there")),
        created_us=1_700_000_000_000_000,
        stream=StreamSpecification(enabled=True, view_type="KEYS_ONLY"),
        global_since_us=1_700_000_000_000_001,
    )


def test_tables_survive_reopening(open_catalog: Opening) -> None:
    written = [
        LocalTable(definition("a"), Stage.ACTIVE),
        LocalTable(definition("b", generation=b"h" * 16), Stage.FAILED, "the reason"),
    ]
    catalog = open_catalog()
    for table in written:
        catalog.write_table(table)
    catalog.close()
    assert sorted(open_catalog().tables(), key=lambda table: table.definition.name) == written


def test_a_table_is_replaced_by_its_generation(open_catalog: Opening) -> None:
    """Two lives of a table have one name and are two rows; one life has one row, whatever becomes of it."""
    catalog = open_catalog()
    catalog.write_table(LocalTable(definition("a"), Stage.CREATING))
    catalog.write_table(LocalTable(definition("a"), Stage.DELETING))
    catalog.write_table(LocalTable(definition("a", generation=b"h" * 16), Stage.ACTIVE))
    assert {(table.definition.generation, table.stage) for table in catalog.tables()} == {
        (b"g" * 16, Stage.DELETING),
        (b"h" * 16, Stage.ACTIVE),
    }


def test_streams_are_kept_with_their_table(open_catalog: Opening) -> None:
    """They begin and end in the transaction that changes the table."""
    generation = Generation(b"g" * 16)
    began = KeptStream(generation, "a", "KEYS_ONLY", 1_000_000, (3, 0, 9, 1))
    ended = replace(began, disabled_us=2_000_000, ended=(4, 0, 9, 2))
    again = KeptStream(generation, "a", "NEW_IMAGE", 3_000_000, (5, 0, 9, 2))
    catalog = open_catalog()
    catalog.write_table(LocalTable(definition("a"), Stage.ACTIVE), [began])
    assert catalog.streams() == [began]
    catalog.write_table(LocalTable(definition("a"), Stage.ACTIVE), [ended, again])
    catalog.close()
    catalog = open_catalog()
    assert catalog.streams() == [ended, again]
    catalog.remove_streams(2_000_001)
    assert catalog.streams() == [again]
    catalog.remove_table(generation)
    assert catalog.streams() == []


def test_a_removed_table_is_gone_and_its_sequences_stay(open_catalog: Opening) -> None:
    catalog = open_catalog()
    catalog.write_table(LocalTable(definition("a"), Stage.ACTIVE))
    catalog.retire_lanes(Generation(b"g" * 16), [3, 0, 9, 1])
    catalog.retire_lanes(Generation(b"g" * 16), [4, 0, 0, 0])  # as after a crash that has left only some files
    catalog.remove_table(Generation(b"g" * 16))
    catalog.close()
    reopened = open_catalog()
    assert not reopened.tables()
    assert reopened.retired_lanes(Generation(b"g" * 16)) == {0: 4, 1: 0, 2: 9, 3: 1}
    assert reopened.retired_lanes(Generation(b"h" * 16)) == {}


def test_a_catalog_of_another_format_is_refused_as_it_is(open_catalog: Opening, tmp_path: Path) -> None:
    open_catalog().close()
    with closing(sqlite3.connect(tmp_path / "catalog.db")) as connection, connection:
        connection.execute("DROP TABLE tables")
        connection.execute("UPDATE identity SET format = 99")
    before = (tmp_path / "catalog.db").read_bytes()
    with pytest.raises(OperatorError, match="format 99"):
        open_catalog()
    assert (tmp_path / "catalog.db").read_bytes() == before


def test_a_catalog_whose_making_was_cut_short_is_made_to_its_end(open_catalog: Opening, tmp_path: Path) -> None:
    open_catalog().close()
    with closing(sqlite3.connect(tmp_path / "catalog.db")) as connection, connection:
        connection.execute("DROP TABLE tables")
        connection.execute("DELETE FROM identity")
    catalog = open_catalog()
    assert not catalog.tables()
    catalog.close()


@pytest.mark.parametrize(("region", "number"), [("there", 1), ("here", 2)])
def test_the_directory_of_another_region_is_refused(open_catalog: Opening, region: str, number: int) -> None:
    """A region that ran on another's data would hand out that region's sequences and versions again."""
    open_catalog().close()
    with pytest.raises(OperatorError, match="belongs to region here"):
        open_catalog(region, number)
    assert not open_catalog().tables()
