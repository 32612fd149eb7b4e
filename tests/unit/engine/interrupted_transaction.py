"""A process that is killed inside a transaction: `python -m tests.unit.engine.interrupted_transaction FOLDER POINT`.

It makes a table and puts an item of each name, then does a transaction that puts them all anew. POINT says when it
dies: "before the list" of its changes is committed, or before "change 0", "change 1", … is committed in its partition,
when as many others are.
"""

import asyncio
import itertools
import os
import signal
import sys
from pathlib import Path
from threading import Semaphore

from services.region.engine.transaction_completion import WriteDecided
from services.region.storage.partition_file import PartitionFile
from services.region.storage.transaction_log import TransactionLogFile
from tests.unit.engine.regions import InProcessRegion, opened

table = "accounts"
names = tuple(f"account {number}" for number in range(12))
token = "the-transaction"


async def put_all(region: InProcessRegion, text: str) -> None:
    """The transaction; the same one for the same text."""
    puts = [{"Put": {"TableName": table, "Item": {"pk": {"S": name}, "text": {"S": text}}}} for name in names]
    await region.call("TransactWriteItems", TransactItems=puts, ClientRequestToken=token)


async def main(folder: Path, point: str) -> None:
    async with opened(folder) as region:
        await region.create_table(table)
        for name in names:
            await region.put(table, name, "before")
        _die_at(point)
        await put_all(region, "after")
        print("acknowledged", flush=True)


def _die_at(point: str) -> None:
    if point == "before the list":
        TransactionLogFile.write = _die  # type: ignore[method-assign]
        return
    last = int(point.removeprefix("change "))
    run, commit, numbers, committed = WriteDecided.run, PartitionFile.commit, itertools.count(), Semaphore(0)

    def run_or_die(self: WriteDecided, file: PartitionFile, now_us: int) -> None:
        run(self, file, now_us)
        if next(numbers) == last:
            for _ in range(last):
                committed.acquire()
            _die()

    def commit_and_tell(self: PartitionFile) -> None:
        commit(self)
        committed.release()

    WriteDecided.run = run_or_die  # type: ignore[method-assign]
    PartitionFile.commit = commit_and_tell  # type: ignore[method-assign]


def _die(*_arguments: object, **_named: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
