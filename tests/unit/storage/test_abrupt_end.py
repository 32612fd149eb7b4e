"""An acknowledged write survives the abrupt end of its process."""

import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from tests.unit.storage.folders import Write, check_account, key_named, lane, open_partitions


def acknowledged_before_a_kill(folder: Path, *, after: int) -> dict[str, int]:
    """The last acknowledged number of each name, by a process that is killed after so many acknowledgements."""
    command = [sys.executable, "-m", "tests.unit.storage.writing_process", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(after)]
        process.kill()
        lines += process.stdout.readlines()
    acknowledged: dict[str, int] = {}
    for line in lines:
        if line.endswith(b"\n"):
            name, number = line.decode().split()
            acknowledged[name] = int(number)
    assert len(lines) >= after
    return acknowledged


@pytest.mark.parametrize("after", [1, 300, 1500])
async def test_acknowledged_writes_survive_an_abrupt_end(tmp_path: Path, after: int) -> None:
    acknowledged = acknowledged_before_a_kill(tmp_path, after=after)
    async with open_partitions(tmp_path) as partitions:
        partition = partitions.of(lane)
        for name, number in acknowledged.items():
            stored = partition.read(key_named(name))
            assert stored is not None, f"{name} was acknowledged and is gone"
            assert stored.image is not None
            assert int(orjson.loads(stored.image)["text"]["S"]) >= number
        assert partition.reader is not None
        check_account(partition.reader)
        origin_sequence = partition.state.origin_sequence
        await partition.submit(Write("after the restart"))
        assert partition.state.origin_sequence == origin_sequence + 1
        check_account(partition.reader)


async def test_writing_goes_on_over_repeated_abrupt_ends(tmp_path: Path) -> None:
    acknowledged_before_a_kill(tmp_path, after=200)
    acknowledged = acknowledged_before_a_kill(tmp_path, after=200)
    async with open_partitions(tmp_path) as partitions:
        assert all(partitions.of(lane).read(key_named(name)) for name in acknowledged)
        reader = partitions.of(lane).reader
        assert reader is not None
        check_account(reader)
