"""Partitions in a folder of a test, and the jobs that tests give to their writers."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from services.region.rules.digests import digest_modulus, item_digest
from services.region.storage.partition_file import PartitionFile
from services.region.storage.partition_state import PartitionState
from services.region.storage.partitions import CommittedHook, Partitions
from services.region.storage.reader import PartitionReader, before_all
from shared.changes.records import Kind, Lane
from shared.clock import Clock, SystemClock
from shared.limits import slots
from shared.model.keys import ItemKey, slot_of
from shared.model.tables import Generation
from shared.versions.versions import Version

storage_key = bytes(range(32))
lane = Lane(Generation(b"g" * 16), 0)
region = 1


def key_named(name: str) -> ItemKey:
    return ItemKey(slot_of(name.encode()), name.encode(), b"")


def image_of(text: str) -> bytes:
    return b'{"text":{"S":"%b"}}' % text.encode()


def open_file(folder: Path, *, first_state: PartitionState | None = None) -> PartitionFile:
    return PartitionFile(
        folder / "0.db", storage_key, lane=lane, region=region, first_state=first_state or PartitionState()
    )


@asynccontextmanager
async def open_partitions(
    folder: Path, *, clock: Clock | None = None, committed: CommittedHook = lambda _partition, _group: None
) -> AsyncIterator[Partitions]:
    partitions = Partitions(
        folder,
        key=storage_key,
        region=region,
        clock=clock or SystemClock(),
        writer_threads=2,
        committed=committed,
    )
    try:
        yield partitions
    finally:
        await partitions.close()


class Write:
    """Job: puts (or, without text, deletes) the item of a name."""

    def __init__(self, name: str, text: str | None = "") -> None:
        self._key = key_named(name)
        self._image = None if text is None else image_of(text)

    def run(self, file: PartitionFile, now_us: int) -> Version:
        kind = Kind.DELETE if self._image is None else Kind.PUT
        return file.write_local(self._key, file.read(self._key), kind=kind, image=self._image, now_us=now_us)


class WriteThenFail:
    """Job: breaks its transaction after it has written."""

    def __init__(self, name: str, fail: Callable[[PartitionFile], object]) -> None:
        self._write = Write(name)
        self._fail = fail

    def run(self, file: PartitionFile, now_us: int) -> None:
        self._write.run(file, now_us)
        self._fail(file)


class Refuse:
    """Job: refuses as a decision does, before it has written anything."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def run(self, file: PartitionFile, now_us: int) -> None:  # noqa: ARG002 - a job is given both
        raise self._error


def check_account(reader: PartitionReader) -> None:
    """The file's own account of itself equals what a scan of its rows and of its change log finds."""
    state = reader.state()
    rows = reader.rows_after(before_all, end_slot=slots, rows_max=1_000_000)
    live = [(row.key, row.stored.image) for row in rows if row.stored.image is not None]
    assert state.item_count == len(live)
    assert state.size_bytes == sum(len(key.partition) + len(key.sort) + len(image) for key, image in live)
    assert state.digest == sum(item_digest(row.key, row.stored) for row in rows) % digest_modulus
    changes = reader.changes_after(0, bytes_max=1 << 40, rows_max=1_000_000)
    assert [change.origin_sequence for change in changes] == list(range(1, state.origin_sequence + 1))
