"""The simulated storage answers as a partition file on a disk does, whatever is done to both."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from services.region.rules.stored import StoredItem
from services.region.storage.partition_file import PartitionFile
from services.region.storage.partition_state import CopyState, PartitionState
from services.region.storage.reader import PartitionReader, before_all
from shared.changes.records import Kind, Lane
from shared.feed.port import Position
from shared.limits import slots
from shared.model.keys import ItemKey, slot_of
from shared.model.tables import Generation
from shared.versions.versions import encode_seen
from tests.simulation.disk import Disk, SimulatedFile, SimulatedReader
from tests.simulation.ledger import Ledger

lane = Lane(Generation(b"g" * 16), 0)
storage_key = bytes(range(32))
region = 1

Operation = Callable[[PartitionFile], object]

keys = st.sampled_from([ItemKey(slot_of(name), name, b"") for name in (b"a", b"b", b"c")])
images = st.sampled_from([b'{"n":{"N":"1"}}', b'{"n":{"N":"2"}}', None])
small = st.integers(1, 5)


@st.composite
def local_writes(draw: st.DrawFn) -> Operation:
    key, image, now_us = draw(keys), draw(images), draw(st.integers(0, 3)) * 1000
    kind = Kind.DELETE if image is None else Kind.PUT
    return lambda file: file.write_local(key, file.read(key), kind=kind, image=image, now_us=now_us)


@st.composite
def applied_changes(draw: st.DrawFn) -> Operation:
    key, image, timestamp = draw(keys), draw(images), draw(st.integers(1, 1 << 20))
    arrived = StoredItem(timestamp, 2, encode_seen({2: timestamp}), image)
    return lambda file: file.write_applied(key, file.read(key), arrived, record=b"record", now_us=timestamp)


@st.composite
def conflicts(draw: st.DrawFn) -> Operation:
    key, loser, winner = draw(keys), StoredItem(draw(small), 2, b"", draw(images)), StoredItem(9, 1, b"", None)
    return lambda file: file.write_conflict(key, loser=loser, winner=winner, now_us=1)


@st.composite
def notes(draw: st.DrawFn) -> Operation:
    number, sequence, state = draw(small), draw(small), draw(st.sampled_from(CopyState))
    operations: list[Operation] = [
        lambda file: file.write_position(number, Position(sequence, sequence * 10)),
        lambda file: file.write_follower(number, sequence),
        lambda file: file.trim_changes(sequence),
        lambda file: file.raise_origin_sequence(sequence),
        lambda file: setattr(file.state, "completeness", state),
        lambda file: file.write_seen(ItemKey(slot_of(b"a"), b"a", b""), {1: sequence, 2: sequence}),
    ]
    return draw(st.sampled_from(operations))


transactions = st.tuples(
    st.lists(st.one_of(local_writes(), applied_changes(), conflicts(), notes()), max_size=6),
    st.sampled_from(["commit", "commit", "rollback"]),
    st.booleans(),  # whether the process ends behind it
)


@given(history=st.lists(transactions, max_size=5))
@settings(max_examples=25)
def test_both_tell_the_same_after_any_history(history: Sequence[tuple[Sequence[Operation], str, bool]]) -> None:
    """Also after a rollback, and after a process that ended and another that opened what it had left."""
    with tempfile.TemporaryDirectory() as folder:
        disk = Disk("here", region, ledger=Ledger(), broken=lambda _violation: None, note=lambda _what: None)
        path = Path(folder) / "0.db"

        def on_disk() -> PartitionFile:
            return PartitionFile(path, storage_key, lane=lane, region=region, first_state=PartitionState())

        def simulated() -> PartitionFile:
            return SimulatedFile(disk, lane, first_state=PartitionState())

        real, twin = on_disk(), simulated()
        for operations, end, ends in history:
            for file in (real, twin):
                file.begin()
            for operation in operations:
                assert operation(real) == operation(twin)
            assert real.logged == twin.logged
            for file in (real, twin):
                getattr(file, end)()
            if ends:
                real.close()
                twin.close()
                real, twin = on_disk(), simulated()
            assert real.state == twin.state
            reader = PartitionReader(path, storage_key)
            assert told(reader) == told(SimulatedReader(disk, lane))
            reader.close()
        assert real.connection.execute(_conflicts).fetchall() == twin.connection.execute(_conflicts).fetchall()
        real.close()
        disk.close()


_conflicts = "SELECT * FROM conflicts ORDER BY pk, sk, loser_timestamp, loser_region"


def told(reader: PartitionReader) -> object:
    """Everything that a reader can tell."""
    return (
        reader.is_made(),
        reader.state(),
        reader.rows_after(before_all, end_slot=slots, rows_max=100),
        reader.changes_after(0, bytes_max=1 << 20, rows_max=100),
        reader.oldest_changes(100),
    )
