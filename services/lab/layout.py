"""Where a lab keeps what: the files and folders below its data folder, readable by their owner only."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO

default_folder = Path(".meridian")


@dataclass(frozen=True, slots=True)
class LabFolder:
    path: Path

    @property
    def record(self) -> Path:
        return self.path / "lab.json"

    @property
    def lock(self) -> Path:
        return self.path / "lab.lock"

    @property
    def socket(self) -> Path:
        return self.path / "lab.sock"

    @property
    def token(self) -> Path:
        return self.path / "token"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    def region(self, name: str) -> Path:
        return self.path / "regions" / name

    def broker(self, name: str) -> Path:
        return self.path / "kafka" / name

    def log(self, process: str) -> Path:
        """The log of `region:NAME`, `replicator:NAME`, `kafka:NAME` or `lab`."""
        return self.logs / f"{process.replace(':', '-')}.log"

    def make(self) -> None:
        for folder in (self.path, self.logs, self.path / "regions"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def open_private(path: Path, mode: str) -> IO[bytes]:
    """Like `path.open(mode)` of a binary file; a file that it makes has mode 0600."""
    return open(path, mode, opener=_private)  # Path.open takes no opener


def write_private(path: Path, content: bytes) -> None:
    """Replaces the file in one step: a reader, and a crash, find the old content or the new one."""
    beside = path.with_name(f".{path.name}.new")
    with open_private(beside, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)
