"""The machine under the figures: its cores, its kernel, and a disk whose fsync is real."""

import os
import platform
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from shared.errors import OperatorError

_not_a_disk = {"tmpfs", "ramfs"}
_fsync_tries = 100


class Cores(NamedTuple):
    server: int
    load: int


def choose_cores() -> Cores:
    """Two different cores that this process may use, the load's also for itself."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise OperatorError(
            "the benchmark can't run",
            why="server and load generator need a core each, and this process may use one only",
            next_step="Run it on a machine with two cores",
        )
    cores = Cores(server=allowed[0], load=allowed[1])
    os.sched_setaffinity(0, {cores.load})
    return cores


def refuse_memory_disk(folder: Path) -> None:
    """Where fsync costs nothing, a durable write's figures mean nothing."""
    kind = filesystem_of(folder, Path("/proc/self/mounts").read_text(encoding="utf-8"))
    if kind in _not_a_disk:
        raise OperatorError(
            f"the benchmark can't keep its data in {folder}",
            why=f"that is in memory ({kind}), where fsync does nothing",
            next_step="Run it from a working copy on a real disk",
        )


def facts(folder: Path, cores: Cores) -> dict[str, object]:
    """What to know when comparing figures; `folder` is where the data lies."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": _processor(Path("/proc/cpuinfo").read_text(encoding="utf-8")),
        "cores": os.cpu_count(),
        "server_core": cores.server,
        "load_core": cores.load,
        "memory_gib": round(pages / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "filesystem": filesystem_of(folder, Path("/proc/self/mounts").read_text(encoding="utf-8")),
        "fsync_us": round(_fsync_us(folder / "fsync")),
        "load_average_at_start": round(os.getloadavg()[0], 2),
    }


def filesystem_of(folder: Path, mounts: str) -> str:
    """The type of the mounted file system that holds a folder, by the text of /proc/self/mounts."""
    folder = folder.resolve()
    kinds = {}
    for line in mounts.splitlines():
        _, point, kind, *_ = line.split(" ")
        if folder.is_relative_to(point):
            kinds[point] = kind
    return kinds[max(kinds, key=len)] if kinds else "unknown"


def _processor(cpuinfo: str) -> str:
    models = [line.partition(":")[2].strip() for line in cpuinfo.splitlines() if line.startswith("model name")]
    return models[0] if models else platform.machine()


def _fsync_us(path: Path) -> float:
    """What it takes to append a page and have it on the disk."""
    spent_s = []
    with path.open("wb", buffering=0) as file:
        for _ in range(_fsync_tries):
            began_s = time.perf_counter()
            file.write(bytes(4096))
            os.fsync(file.fileno())
            spent_s.append(time.perf_counter() - began_s)
    path.unlink()
    return median(spent_s) * 1e6
