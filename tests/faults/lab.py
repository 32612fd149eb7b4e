"""A lab as a test drives it: through the command line, as a person would, and with a client a region."""

import asyncio
import json
import random
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from services.lab.client import TableClient
from services.lab.layout import LabFolder
from services.lab.ports import refuse_taken_ports
from services.lab.record import LabRecord, existing_record
from shared.errors import OperatorError

regions = ("us-east-1", "eu-west-1", "ap-northeast-1")
command_patience_s = 60.0
poll_s = 0.05


class Lab:
    def __init__(self, folder: Path, *, base_port: int) -> None:
        self.folder = LabFolder(folder)
        self.base_port = base_port

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """`meridian lab WORDS`; the exit code is the caller's to judge."""
        return subprocess.run(
            self.command(*words), capture_output=True, text=True, timeout=command_patience_s, check=False
        )

    def run_well(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "services.lab.cli", "lab", *words, "--data", str(self.folder.path)]

    def up(self, *words: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.run_well(*self.up_words, *words))
        return document

    @property
    def up_words(self) -> tuple[str, ...]:
        return ("up", "--detach", "--json", "--base-port", str(self.base_port))

    def down(self) -> None:
        self.run_well("down")

    def make_whole(self) -> None:
        """Heals every link and starts every process that was killed."""
        self.run_well("heal")
        for process in self.record.processes:
            if process.pid is None:
                self.run_well("start", process.name)

    def status(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.run_well("status", "--json"))
        return document

    @property
    def record(self) -> LabRecord:
        return existing_record(self.folder)

    @property
    def regions(self) -> tuple[str, ...]:
        return self.record.topology.names

    def generation(self, table: str) -> str:
        """The generation of a table that several regions hold, as its partition files are named after."""
        (compared,) = json.loads(self.run("compare", "--table", table, "--json").stdout)["tables"]
        return str(compared["generation"])

    def client(self, region: str) -> TableClient:
        record = self.record
        endpoint = record.topology.named(region).endpoint
        return TableClient(region, endpoint, record.credentials, connections=4, timeout_s=10)

    def differences(self, table: str, *, patience_s: float) -> str:
        """What `compare` says is different when it has had `patience_s` to become equal; empty when it did."""
        deadline = time.monotonic() + patience_s
        while True:
            done = self.run("compare", "--table", table)
            if done.returncode == 0:
                return ""
            if time.monotonic() > deadline:
                return done.stdout + done.stderr


@contextmanager
def started_lab(folder: Path, *words: str) -> Iterator[Lab]:
    """A lab that runs, with these words for `meridian lab up`."""
    lab = Lab(folder, base_port=free_base_port())
    lab.up(*words)
    yield lab
    lab.down()


def free_base_port() -> int:
    """One after which the ports of three regions and three replicators are free.

    Below the ports that the system gives to outgoing connections, which could take one before the lab does.
    """
    while True:
        base = random.randrange(10_000, 30_000)
        with suppress(OperatorError):
            refuse_taken_ports([*range(base + 1, base + 4), *range(base + 101, base + 104)], next_step="")
            return base


async def eventually(found: Callable[[], Awaitable[bool]], *, patience_s: float) -> bool:
    """Whether it comes true in time."""
    deadline = time.monotonic() + patience_s
    while not await found():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(poll_s)
    return True
