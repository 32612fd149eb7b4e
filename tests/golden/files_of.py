"""Golden files on disk, and the schemas of the databases that a region makes today."""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from services.region.storage import catalog, statements, transaction_statements
from services.region.storage.catalog import Catalog
from services.region.storage.connections import open_writer
from services.region.storage.partition_file import PartitionFile
from services.region.storage.partition_state import PartitionState
from services.region.storage.transaction_log import TransactionLogFile
from shared.changes.records import Lane
from shared.model.tables import Generation
from tests.golden.formats import Document, Format, folder, formats


class Example(NamedTuple):
    name: str
    encoded: bytes
    document: Document


def missing() -> Sequence[Format]:
    return [each for each in formats if not path_of(each.name, each.number).exists()]


def path_of(name: str, number: int) -> Path:
    return folder / f"{name}.{number}.json"


def read(path: Path) -> Sequence[Example]:
    return [
        Example(example["name"], bytes.fromhex(example["hex"]), example["decoded"])
        for example in json.loads(path.read_text(encoding="utf-8"))
    ]


def schema_path(name: str) -> Path:
    return folder / f"{name}.sql"


schema_names = (
    f"partition_file.{statements.format_number}",
    f"catalog.{catalog.format_number}",
    f"transaction_log.{transaction_statements.format_number}",
)


def schemas() -> dict[str, str]:
    """The SQL of every database, by its name with its format number."""
    with TemporaryDirectory() as made:
        path = Path(made)
        lane = Lane(Generation(bytes(16)), 0)
        file = PartitionFile(path / "0.db", bytes(32), lane=lane, region=1, first_state=PartitionState())
        partition = [sql for (sql,) in file.connection.execute(_schema)]
        file.close()
        Catalog(path / "catalog.db", region="here", number=1).close()
        connection = sqlite3.connect(path / "catalog.db")
        tables = [sql for (sql,) in connection.execute(_schema)]
        connection.close()
        log = open_writer(path / "transactions.db", bytes(32))
        TransactionLogFile(log)
        transactions = [sql for (sql,) in log.execute(_schema)]
        log.close()
    return dict(zip(schema_names, map(_text, (partition, tables, transactions)), strict=True))


_schema = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name"


def _text(lines: Sequence[str]) -> str:
    return "".join(" ".join(line.split()) + ";\n" for line in lines)
