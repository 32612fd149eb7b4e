"""Pages are authenticated: damage and wrong keys are noticed, and never read as data."""

from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from services.region.storage.connections import check_sqlite, open_reader, open_writer
from services.region.storage.partition_state import PartitionState
from services.region.storage.reader import PartitionReader, before_all
from shared.errors import MeridianError, OperatorError
from shared.limits import slots
from tests.unit.storage.folders import Write, open_file, storage_key

page_bytes = 4096
secret = "a text that nobody may find"


@pytest.fixture(name="path")
def file_with_items(tmp_path: Path) -> Path:
    file = open_file(tmp_path)
    file.begin()
    for number in range(100):
        Write(f"item {number}", f"{secret} {number}").run(file, 1_000_000)
    file.commit()
    file.close()
    return file.path


def content(path: Path) -> tuple[object, object, PartitionState]:
    reader = PartitionReader(path, storage_key)
    try:
        rows = reader.rows_after(before_all, end_slot=slots, rows_max=1000)
        return rows, reader.changes_after(0, bytes_max=1 << 30, rows_max=1000), reader.state()
    finally:
        reader.close()


def test_a_flipped_bit_in_any_page_is_noticed(path: Path) -> None:
    """Reading must fail wherever something lies on the page, and find all as before where nothing does."""
    sound, expected = path.read_bytes(), content(path)
    pages = len(sound) // page_bytes
    noticed = 0
    for page in range(pages):
        damaged = bytearray(sound)
        damaged[page * page_bytes + page_bytes // 2] ^= 1
        path.write_bytes(damaged)
        try:
            assert content(path) == expected, f"page {page} was read as data"
        except (apsw.CorruptError, apsw.NotADBError, MeridianError):
            noticed += 1
    assert noticed >= pages - 5, "only the few pages of tables that are not read here may go unnoticed"


def test_nothing_readable_lies_in_the_file(path: Path) -> None:
    file = open_file(path.parent)
    file.begin()
    Write("in the write-ahead log", secret).run(file, 1_000_000)
    file.commit()
    stored = path.read_bytes() + path.with_name("0.db-wal").read_bytes()
    assert secret.encode() not in stored
    assert b"SQLite format 3" not in stored


@pytest.mark.parametrize("open_connection", [open_writer, open_reader])
def test_another_key_is_refused_with_what_to_do(
    path: Path, open_connection: Callable[[Path, bytes], apsw.Connection]
) -> None:
    with pytest.raises(OperatorError, match=r"storage\.key"):
        open_connection(path, bytes(32))


def test_this_sqlite_is_accepted() -> None:
    check_sqlite()


def test_an_old_sqlite_is_refused_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions before 3.51.3 can corrupt a WAL that two connections write."""
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: "3.51.2")
    with pytest.raises(OperatorError, match=r"3\.51\.2"):
        check_sqlite()


def test_a_sqlite_without_authenticated_pages_is_refused_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(apsw, "mc_version")
    with pytest.raises(OperatorError, match="authenticated pages"):
        check_sqlite()
