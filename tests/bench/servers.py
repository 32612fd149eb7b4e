"""Servers under measurement: each a process pinned to one core, with a log, and stopped at the end whatever happens."""

import os
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from services.lab.ports import free_ports, loopback
from services.lab.processes import ChildProcess
from shared.errors import OperatorError

_start_patience_s = 20.0
_poll_s = 0.02
_ticks_per_s = os.sysconf("SC_CLK_TCK")


class Server:
    """A running server; `name` is how reports call it."""

    def __init__(self, name: str, port: int, process: ChildProcess) -> None:
        self.name = name
        self.port = port
        self._process = process

    @property
    def endpoint(self) -> str:
        return f"http://{loopback}:{self.port}"

    @property
    def log(self) -> Path:
        return self._process.log

    def cpu_us(self) -> float:
        """CPU time of all its threads since it started."""
        stat = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii", errors="replace")
        return cpu_ticks(stat) / _ticks_per_s * 1e6


def bare_command(port: int) -> list[str]:
    """uvicorn as fast as its options make it."""
    flags = "--loop uvloop --http httptools --lifespan off --no-access-log --no-server-header --log-level warning"
    return _python("uvicorn", f"--host {loopback} --port {port} {flags} tests.bench.bare:application")


def region_command(port: int, data: Path) -> list[str]:
    return [*_python("services.region", f"--port {port} --data"), str(data)]


@contextmanager
def running(name: str, command: Sequence[str], *, port: int, core: int, log: Path) -> Iterator[Server]:
    """Runs a server on a core until the end of the block, from when it takes connections."""
    process = ChildProcess(["taskset", "--cpu-list", str(core), *command], log=log)
    process.start()
    try:
        _await_port(name, port, process)
        yield Server(name, port, process)
    finally:
        process.stop()


def free_port() -> int:
    return free_ports(1)[0]


def cpu_ticks(stat: str) -> int:
    """User and system time in a line of /proc/PID/stat, where the program's name may hold anything."""
    fields = stat.rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _await_port(name: str, port: int, process: ChildProcess) -> None:
    deadline = time.monotonic() + _start_patience_s
    while time.monotonic() < deadline and process.exit_code is None:
        try:
            socket.create_connection((loopback, port), timeout=1).close()
        except OSError:
            time.sleep(_poll_s)
        else:
            return
    raise OperatorError(
        f"{name} does not start",
        why=process.log_tail().strip() or "it takes no connections and logs nothing",
        next_step="Start it by hand with the same command",
    )


def _python(module: str, flags: str) -> list[str]:
    return [sys.executable, "-m", module, *flags.split()]
