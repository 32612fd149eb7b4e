"""A process that writes into a partition until it is killed: `python -m tests.unit.storage.writing_process FOLDER`.

Every acknowledged write is told as one line, `name text`, on standard output.
"""

import asyncio
import os
import sys
from itertools import count
from pathlib import Path

from tests.unit.storage.folders import Write, lane, open_partitions

writers = 20
names_of_a_writer = 5


async def write_forever(folder: Path) -> None:
    async with open_partitions(folder) as partitions:

        async def write(writer: int) -> None:
            for number in count():
                name = f"{writer}.{number % names_of_a_writer}"
                await partitions.of(lane).submit(Write(name, str(number)))
                os.write(1, f"{name} {number}\n".encode())

        async with asyncio.TaskGroup() as tasks:
            for writer in range(writers):
                tasks.create_task(write(writer))


if __name__ == "__main__":
    asyncio.run(write_forever(Path(sys.argv[1])))
