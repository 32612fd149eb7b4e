"""Group commit: many writes share a transaction, and each still has its own fate."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import apsw
import pytest

from services.region.storage import write_ahead_log, writer
from services.region.storage.partition_file import PartitionFile
from services.region.storage.partitions import Partition, Partitions
from services.region.storage.writer import Group
from shared.errors import ConditionalCheckFailedError, RequestRefusedError, ServiceUnavailableError
from tests.unit.storage.folders import (
    Refuse,
    Write,
    WriteThenFail,
    check_account,
    image_of,
    key_named,
    lane,
    open_partitions,
)


def check(partition: Partition) -> None:
    reader = partition.reader
    assert reader is not None
    assert reader.state() == partition.state
    check_account(reader)


async def test_writes_of_a_group_share_one_transaction_and_all_are_woken(tmp_path: Path) -> None:
    groups: list[Group] = []
    async with open_partitions(tmp_path, committed=lambda _, group: groups.append(group)) as partitions:
        partition = partitions.of(lane)
        await partition.submit(Write("first"))
        writes = [partition.submit(Write(f"item {number}")) for number in range(100)]
        versions = await asyncio.gather(*writes)
        assert [len(group.jobs) for group in groups] == [1, 100], "what comes in one turn of the loop goes together"
        assert [change.origin_sequence for group in groups for change in group.changes] == list(range(1, 102))
        assert len(versions) == 100
        check(partition)


async def test_a_group_waits_for_its_company_and_no_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "write_gather_s", 3600.0)
    groups: list[Group] = []
    async with open_partitions(tmp_path, committed=lambda _, group: groups.append(group)) as partitions:
        partition = partitions.of(lane)
        await asyncio.gather(*(partition.submit(Write(name)) for name in "abc"))
        first, second = partition.submit(Write("a")), partition.submit(Write("b"))
        await asyncio.wait((first, second), timeout=0.05)
        assert not first.done()
        await asyncio.gather(first, second, partition.submit(Write("c")))
        assert [len(group.jobs) for group in groups] == [3, 3]


async def test_a_group_is_told_of_before_its_writers_are_woken(tmp_path: Path) -> None:
    """What was acknowledged must already be in the feed's tail."""
    order: list[str] = []
    async with open_partitions(tmp_path, committed=lambda *_: order.append("committed")) as partitions:
        await partitions.of(lane).submit(Write("a"))
        order.append("acknowledged")
    assert order == ["committed", "acknowledged"]


async def gathered(partitions: Partitions, *jobs: Refuse | Write | WriteThenFail) -> list[object]:
    """The outcomes of jobs that run in one group."""
    partition = partitions.of(lane)
    alone = partition.submit(Write("alone"))
    together = [partition.submit(job) for job in jobs]
    await alone
    return await asyncio.gather(*together, return_exceptions=True)


async def test_a_refusal_fails_alone(tmp_path: Path) -> None:
    async with open_partitions(tmp_path) as partitions:
        refusal = ConditionalCheckFailedError()
        first, refused, last = await gathered(partitions, Write("a"), Refuse(refusal), Write("b"))
        assert refused is refusal
        assert not isinstance(first, Exception)
        assert not isinstance(last, Exception)
        check(partitions.of(lane))


def fail_in_sqlite(file: PartitionFile) -> object:
    return file.connection.execute("SELECT * FROM nothing")


def fail_outside_sqlite(_file: PartitionFile) -> object:
    raise RequestRefusedError("bad_snapshot", "made for this test")


def fail_by_ending_the_transaction(file: PartitionFile) -> object:
    file.connection.execute("ROLLBACK")
    raise apsw.FullError("made for this test")


@pytest.mark.parametrize("fail", [fail_in_sqlite, fail_outside_sqlite, fail_by_ending_the_transaction])
async def test_a_job_that_breaks_the_transaction_fails_alone_and_leaves_no_trace(
    tmp_path: Path, fail: Callable[[PartitionFile], object]
) -> None:
    async with open_partitions(tmp_path) as partitions:
        first, broken, second, last = await gathered(
            partitions, Write("a"), WriteThenFail("broken", fail), Write("b"), WriteThenFail("broken too", fail)
        )
        assert isinstance(broken, Exception)
        assert isinstance(last, Exception)
        assert not isinstance(first, Exception)
        assert not isinstance(second, Exception)
        partition = partitions.of(lane)
        assert partition.state.origin_sequence == 3
        assert partition.read(key_named("broken")) is None
        check(partition)


async def test_changes_are_handed_on_in_order_when_a_group_was_repeated_job_by_job(tmp_path: Path) -> None:
    handed_on: list[int] = []

    def committed(_partition: Partition, group: Group) -> None:
        handed_on.extend(change.origin_sequence for change in group.changes)

    async with open_partitions(tmp_path, committed=committed) as partitions:
        broken = WriteThenFail("broken", fail_in_sqlite)
        await gathered(partitions, Write("a"), broken, Write("b"))
        await gathered(partitions, broken, Write("c"))
    assert handed_on == [1, 2, 3, 4, 5]


async def test_a_full_disk_is_the_services_trouble_and_passes(tmp_path: Path) -> None:
    async with open_partitions(tmp_path) as partitions:
        partition = partitions.of(lane)
        with pytest.raises(ServiceUnavailableError):
            await partition.submit(WriteThenFail("a", fail_by_ending_the_transaction))
        await partition.submit(Write("b"))
        check(partition)


class FullDisk:
    """A connection whose checkpoints find no room."""

    def __init__(self, connection: apsw.Connection) -> None:
        self.checkpoints = 0
        self._connection = connection

    def wal_checkpoint(self, **_options: object) -> None:
        self.checkpoints += 1
        raise apsw.FullError("made for this test")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


async def test_a_checkpoint_that_fails_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs on the writer's thread after the reply; a thread that dies there would hang every later write."""
    monkeypatch.setattr(write_ahead_log, "pages_max", 0)
    disks: list[FullDisk] = []

    class FillDisk:
        def run(self, file: PartitionFile, now_us: int) -> None:  # noqa: ARG002 - a job is given the time
            disks.append(FullDisk(file.connection))
            file.connection = cast("apsw.Connection", disks[0])

    async with open_partitions(tmp_path) as partitions:
        partition = partitions.of(lane)
        await partition.submit(FillDisk())
        await partition.submit(Write("a"))
        await partition.submit(Write("b"))
        check(partition)
    assert disks[0].checkpoints >= 2


async def test_a_pause_is_used_to_move_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that waits for its high bound would keep every quiet partition at that size."""
    monkeypatch.setattr(write_ahead_log, "pages_when_idle", 1)
    loop, moved = asyncio.get_running_loop(), asyncio.Event()

    class Watched(FullDisk):
        def wal_checkpoint(self, **options: object) -> None:
            self._connection.wal_checkpoint(**options)  # type: ignore[arg-type]
            loop.call_soon_threadsafe(moved.set)

    class Watch:
        def run(self, file: PartitionFile, now_us: int) -> None:  # noqa: ARG002 - a job is given the time
            file.connection = cast("apsw.Connection", Watched(file.connection))

    async with open_partitions(tmp_path) as partitions:
        partition = partitions.of(lane)
        await asyncio.gather(partition.submit(Watch()), partition.submit(Write("a")))
        await moved.wait()
        check(partition)


async def test_a_write_replaces_what_a_group_before_it_wrote(tmp_path: Path) -> None:
    async with open_partitions(tmp_path) as partitions:
        partition = partitions.of(lane)
        await asyncio.gather(*(partition.submit(Write("same", str(number))) for number in range(300)))
        stored = partition.read(key_named("same"))
        assert stored is not None
        assert stored.image == image_of("299")
        assert partition.state.item_count == 1
        check(partition)


async def test_a_drain_that_is_cancelled_leaves_the_writer_whole(tmp_path: Path) -> None:
    async with open_partitions(tmp_path) as partitions:
        partition = partitions.of(lane)
        write = partition.submit(Write("a"))
        drain = asyncio.create_task(partition.drain())
        await asyncio.sleep(0)
        drain.cancel()
        await asyncio.wait([drain])
        await write
        await partition.submit(Write("b"))
        await partition.drain()
        check(partition)


async def test_writes_of_partitions_on_other_threads_do_not_wait(tmp_path: Path) -> None:
    arrived, passed_on = os.pipe()

    def wait_for_the_other(_file: PartitionFile) -> object:
        return os.read(arrived, 1)

    async with open_partitions(tmp_path) as partitions:
        held = partitions.of(lane).submit(WriteThenFail("held", wait_for_the_other))
        await partitions.of(lane._replace(partition=1)).submit(Write("free"))
        assert not held.done()
        os.write(passed_on, b"!")
        await held
    os.close(arrived)
    os.close(passed_on)
