"""Disks that a test can fill: a small one of its own where it may mount one, and files that may not grow anywhere."""

import os
import resource
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Protocol

size_mb = 64
_unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


class ScarceDisk(Protocol):
    """A folder whose disk is full, for one process, from `fill` until `free`."""

    folder: Path

    def fill(self, pid: int) -> None: ...

    def free(self, pid: int) -> None: ...


class SmallDisk:
    """A file system in memory; full is what every process finds it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self, pid: int) -> None:  # noqa: ARG002 - the disk is full for everybody
        with self._filler.open("wb", buffering=0) as filler, suppress(OSError):
            while True:
                filler.write(bytes(4096))

    def free(self, pid: int) -> None:  # noqa: ARG002 - and has room for everybody again
        self._filler.unlink()


class LimitedFiles:
    """The system refuses to one process every byte that it wants to write to a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, pid: int) -> None:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    def free(self, pid: int) -> None:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, _unlimited)


@contextmanager
def limited_files(folder: Path) -> Iterator[ScarceDisk]:
    yield LimitedFiles(folder)


@contextmanager
def small_disk(folder: Path) -> Iterator[ScarceDisk]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "meridian-test", folder], check=True)
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", folder], check=True)


def kinds() -> list[Callable[[Path], AbstractContextManager[ScarceDisk]]]:
    """What this machine lets a test do."""
    return [limited_files, small_disk] if _may_mount() else [limited_files]


def _may_mount() -> bool:
    if os.geteuid() != 0:
        return False
    with tempfile.TemporaryDirectory() as folder:
        try:
            with small_disk(Path(folder)):
                return True
        except (OSError, subprocess.CalledProcessError):
            return False
