"""The supervisor of a lab: starts its processes, takes commands, and stops all of it cleanly.

It holds the folder's lock as long as it lives. What it has started is in `lab.json` before anybody waits for it,
so that whatever ends this process, the next `up` finds and stops what was left behind.
"""

import asyncio
import fcntl
import os
import shutil
import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import IO, Any

import structlog
import uvloop

from services.lab import kafka_broker
from services.lab.control import ControlServer
from services.lab.fleet import Fleet
from services.lab.launch import port_of
from services.lab.layout import LabFolder, open_private, write_private
from services.lab.links import Link, Links
from services.lab.ports import refuse_taken_ports
from services.lab.processes import ProcessIdentity, stop_orphans
from services.lab.record import LabRecord, LabRequest, plan_lab, read_record, write_record
from services.lab.wiring import wire
from shared.errors import OperatorError

free_bytes_min = 64 * 1024 * 1024
_signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

log = structlog.get_logger(__name__)


def supervise(folder: LabFolder, request: LabRequest, on_ready: Callable[[LabRecord], None]) -> None:
    """Runs the lab until a signal or `down` ends it; `on_ready` is told when everything serves.

    Raises `OperatorError` when the lab can't start; nothing that it started is left running then.
    """
    folder.make()
    with open_private(folder.lock, "ab") as lock:
        _take(lock, folder)
        _refuse_full_disk(folder)
        previous = read_record(folder)
        record = plan_lab(request, previous)
        if record.feed == "kafka":
            kafka_broker.prepare()
        if previous is not None:
            _stop_leftovers(previous)
        next_step = f"Stop that program, or choose other ports: meridian lab up --base-port {record.base_port + 1000}"
        refuse_taken_ports(map(port_of, record.processes), next_step=next_step)
        uvloop.run(_Supervisor(folder, record).run(on_ready))


class _Supervisor:
    def __init__(self, folder: LabFolder, record: LabRecord) -> None:
        self._folder = folder
        self._record = replace(record, supervisor=ProcessIdentity.of(os.getpid()))
        self._links = Links(record.topology.names)
        self._fleet = Fleet(self._note)
        self._control = ControlServer(folder, self._answer)
        self._busy = asyncio.Lock()  # one start or kill at a time, the lab's own start included
        self._ending = asyncio.Event()

    async def run(self, on_ready: Callable[[LabRecord], None]) -> None:
        for number in _signals:
            asyncio.get_running_loop().add_signal_handler(number, self._end)
        try:
            async with self._busy:
                await self._start()
            if not self._ending.is_set():
                on_ready(self._record)
            await self._ending.wait()
        finally:
            await self._stop()

    async def _start(self) -> None:
        write_private(self._folder.token, self._record.token.encode() + b"\n")
        self._record = await wire(self._record, self._folder, fleet=self._fleet, links=self._links)
        write_record(self._folder, self._record)
        await self._control.open()
        await self._fleet.start(name for name in self._fleet.names if _is_broker(name))
        await self._fleet.start(name for name in self._fleet.names if not _is_broker(name))
        await self._unless_ending(self._fleet.until_ready(self._fleet.names))

    async def _stop(self) -> None:
        await self._fleet.stop(name for name in self._fleet.names if not _is_broker(name))
        await self._fleet.stop(name for name in self._fleet.names if _is_broker(name))
        self._links.close()
        await self._control.close()
        self._record = replace(self._record, supervisor=None)
        write_record(self._folder, self._record)

    async def _unless_ending(self, work: Awaitable[None]) -> None:
        """Gives the work up when the lab is told to end."""
        working = asyncio.ensure_future(work)
        ending = asyncio.ensure_future(self._ending.wait())
        await asyncio.wait((working, ending), return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        if working.done():
            working.result()
        else:
            working.cancel()

    def _end(self) -> None:
        """The first time cleanly, the second time at once."""
        if self._ending.is_set():
            self._fleet.kill_all()
        self._ending.set()

    def _note(self, name: str, identity: ProcessIdentity | None) -> None:
        self._record = self._record.with_identity(name, identity)
        write_record(self._folder, self._record)

    async def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        match request:
            case {"command": "status"}:
                return {"feed": self._record.feed, "cuts": self._cuts()}
            case {"command": "kill", "process": str(process)}:
                return await self._kill(self._full_name(process))
            case {"command": "start", "process": str(process)}:
                return await self._start_again(self._full_name(process))
            case {"command": "cut", "source": str(a), "target": str(b), "one_way": bool(one_way), "for_s": for_s}:
                return self._cut([Link(a, b)] if one_way else [Link(a, b), Link(b, a)], for_s)
            case {"command": "heal"}:
                return {"healed": [link._asdict() for link in self._links.heal_all()]}
            case {"command": "down"}:
                self._ending.set()
                return {}
            case _:
                raise OperatorError(
                    "the lab does not understand this command",
                    why="its supervisor is of another version",
                    next_step="Restart it: meridian lab down, then meridian lab up",
                )

    async def _kill(self, name: str) -> dict[str, Any]:
        async with self._busy:
            was_running = self._fleet.is_running(name)
            await self._fleet.kill(name)
        return {"process": name, "was_running": was_running}

    async def _start_again(self, name: str) -> dict[str, Any]:
        async with self._busy:
            was_running = self._fleet.is_running(name)
            if not was_running:
                await self._fleet.start([name])
                await self._unless_ending(self._fleet.until_ready([name]))
        return {"process": name, "was_running": was_running}

    def _cut(self, links: list[Link], for_s: float | None) -> dict[str, Any]:
        for link in links:
            self._links.cut(link, for_s=for_s)
        return {"cuts": self._cuts()}

    def _cuts(self) -> list[dict[str, Any]]:
        return [link._asdict() | {"heals_in_s": heals_in_s} for link, heals_in_s in self._links.cuts.items()]

    def _full_name(self, process: str) -> str:
        name = process if ":" in process else f"region:{process}"
        if name not in self._fleet.names:
            raise OperatorError(
                f"this lab has no process {process}",
                why=f"its processes are {', '.join(self._fleet.names)}",
                next_step="Name a region, or a process as in replicator:us-east-1",
            )
        return name


def _is_broker(name: str) -> bool:
    return name.startswith("kafka:")


def _take(lock: IO[bytes], folder: LabFolder) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OperatorError(
            f"a lab already runs in {folder.path}",
            why="its supervisor holds the folder",
            next_step="Look at it with: meridian lab status; stop it with: meridian lab down; or use another --data",
        ) from error


def _refuse_full_disk(folder: LabFolder) -> None:
    free_bytes = shutil.disk_usage(folder.path).free
    if free_bytes < free_bytes_min:
        raise OperatorError(
            f"the disk of {folder.path} is full",
            why=f"{free_bytes >> 20} MB are free, a lab needs {free_bytes_min >> 20} MB to start",
            next_step="Free some space, or choose a folder on another disk with --data",
        )


def _stop_leftovers(previous: LabRecord) -> None:
    pids = stop_orphans(previous.identities)
    if pids:
        log.warning("stopped what a dead supervisor had left", pids=pids)
