"""Child processes: started with a log file, stopped with patience, and recognised again by who started them.

A pid alone says nothing after a crash or a reboot; a `ProcessIdentity` also knows when the process began.
"""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from services.lab.layout import open_private
from shared.settings import child_environment

stop_grace_s = 10.0
log_tail_bytes = 4096
_poll_s = 0.02


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    pid: int
    started: str  # boot and clock ticks: no two processes of a machine share pid and start

    @classmethod
    def of(cls, pid: int) -> "ProcessIdentity | None":
        """None when there is no such process, or only its unreaped rest."""
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        state, ticks = fields[0], fields[19]
        if state in ("Z", "X"):
            return None
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")[:8]
        return cls(pid, f"{boot}-{ticks}")

    @property
    def is_alive(self) -> bool:
        return ProcessIdentity.of(self.pid) == self


class ChildProcess:
    """One child in its own session, so that Ctrl-C in a terminal reaches only who may decide what it means."""

    def __init__(self, argv: Sequence[str], *, log: Path, folder: Path | None = None) -> None:
        self.log = log
        self._argv = list(argv)
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    def start(self) -> ProcessIdentity:
        with open_private(self.log, "ab") as log:
            self._log_start = log.tell()
            self._process = self._spawn(log)
        identity = ProcessIdentity.of(self._process.pid)
        return identity or ProcessIdentity(self._process.pid, "gone")

    @property
    def pid(self) -> int | None:
        """None when it doesn't run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def exit_code(self) -> int | None:
        """None while it runs and before it ran; negative for the signal that ended it."""
        return None if self._process is None else self._process.poll()

    def stop(self, *, grace_s: float = stop_grace_s) -> None:
        """SIGTERM, and SIGKILL when that is not enough. Blocks until it is gone."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(grace_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def log_text(self) -> str:
        """What this run has logged."""
        try:
            with self.log.open("rb") as log:
                log.seek(self._log_start)
                return log.read().decode(errors="replace")
        except FileNotFoundError:
            return ""

    def log_tail(self) -> str:
        """The end of what this run has logged."""
        return self.log_text()[-log_tail_bytes:]

    def _spawn(self, log: IO[bytes]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            self._argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=self._folder,
            env=child_environment(),
            start_new_session=True,
        )


def stop_orphans(identities: Sequence[ProcessIdentity], *, grace_s: float = stop_grace_s) -> list[int]:
    """Stops processes that somebody else started and left; returns the pids of those that were alive."""
    alive = [identity for identity in identities if identity.is_alive]
    pids = [identity.pid for identity in alive]
    for number, patience_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, grace_s)):
        for identity in alive:
            with suppress(ProcessLookupError):
                os.kill(identity.pid, number)
        alive = _still_alive(alive, patience_s)
    return pids


def _still_alive(identities: Sequence[ProcessIdentity], patience_s: float) -> list[ProcessIdentity]:
    deadline = time.monotonic() + patience_s
    alive = [identity for identity in identities if identity.is_alive]
    while alive and time.monotonic() < deadline:
        time.sleep(_poll_s)
        alive = [identity for identity in alive if identity.is_alive]
    return alive
