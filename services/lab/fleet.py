"""The running programs of a lab by name: start and wait until ready, kill, stop; an end that nobody ordered is told."""

import asyncio
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import structlog

from services.lab.processes import ProcessIdentity
from shared.connection import Endpoint, NoAnswerError
from shared.errors import OperatorError

ready_patience_s = 30.0
ready_poll_s = 0.03
ready_timeout_s = 5.0
why_lines = 3

log = structlog.get_logger(__name__)


class Program(Protocol):
    """A `ChildProcess`, or a broker around one. All of it may block."""

    log: Path

    @property
    def pid(self) -> int | None: ...

    @property
    def exit_code(self) -> int | None: ...

    def start(self) -> ProcessIdentity: ...

    def stop(self) -> None: ...

    def kill(self) -> None: ...

    def log_tail(self) -> str: ...


class Fleet:
    def __init__(self, on_change: Callable[[str, ProcessIdentity | None], None]) -> None:
        """`on_change` is told of every start (an identity) and of every end (None)."""
        self._on_change = on_change
        self._programs: dict[str, Program] = {}
        self._endpoints: dict[str, str] = {}
        self._expected_to_end: set[str] = set()

    def add(self, name: str, program: Program, *, endpoint: str | None = None) -> None:
        """With an endpoint it is ready when `/readyz` there says so; without one when `start` returns."""
        self._programs[name] = program
        if endpoint is not None:
            self._endpoints[name] = endpoint

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._programs)

    def is_running(self, name: str) -> bool:
        return self._programs[name].pid is not None

    async def start(self, names: Iterable[str]) -> None:
        """Starts all of them at once; `until_ready` is the rest."""
        outcomes = await asyncio.gather(*map(self._start, names), return_exceptions=True)
        # Only now: who stops the fleet after an error must find all of it.
        for outcome in outcomes:
            if outcome is not None:
                raise outcome

    async def until_ready(self, names: Iterable[str]) -> None:
        """Raises `OperatorError` for a program that ends, or isn't ready in time."""
        waits = [asyncio.ensure_future(self._until_ready(name)) for name in names]
        try:
            await asyncio.gather(*waits)
        finally:
            for wait in waits:
                wait.cancel()

    async def kill(self, name: str) -> None:
        self._expected_to_end.add(name)
        await asyncio.to_thread(self._programs[name].kill)
        self._ended(name)

    def kill_all(self) -> None:
        self._expected_to_end.update(self._programs)
        for program in self._programs.values():
            program.kill()

    async def stop(self, names: Iterable[str]) -> None:
        """All of them at once, each with its own term for a clean end."""
        await asyncio.gather(*map(self._stop, names))

    async def _start(self, name: str) -> None:
        self._expected_to_end.discard(name)
        identity = await asyncio.to_thread(self._programs[name].start)
        self._on_change(name, identity)
        self._watch(name, identity.pid)

    async def _stop(self, name: str) -> None:
        self._expected_to_end.add(name)
        await asyncio.to_thread(self._programs[name].stop)
        self._ended(name)

    async def _until_ready(self, name: str) -> None:
        if name not in self._endpoints:
            return
        program = self._programs[name]
        endpoint = Endpoint(self._endpoints[name])
        deadline_s = asyncio.get_running_loop().time() + ready_patience_s
        try:
            while (problem := await _problem_at(endpoint)) is not None:
                next_step = f"Read {program.log}"
                if program.pid is None:
                    what = f"{name} ended at its start (exit code {program.exit_code})"
                    raise OperatorError(what, why=_last_words(program), next_step=next_step)
                if asyncio.get_running_loop().time() > deadline_s:
                    what = f"{name} isn't ready after {ready_patience_s:g} s"
                    raise OperatorError(what, why=problem, next_step=next_step)
                await asyncio.sleep(ready_poll_s)
        finally:
            await endpoint.close()

    def _watch(self, name: str, pid: int) -> None:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            self._ended(name)
            return
        asyncio.get_running_loop().add_reader(descriptor, self._on_exit, name, descriptor)

    def _on_exit(self, name: str, descriptor: int) -> None:
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)
        self._ended(name)

    def _ended(self, name: str) -> None:
        program = self._programs[name]
        if program.pid is not None:
            return
        if name not in self._expected_to_end:
            log.error("a process ended by itself", process=name, exit_code=program.exit_code, log=str(program.log))
            self._expected_to_end.add(name)
        self._on_change(name, None)


async def _problem_at(endpoint: Endpoint) -> str | None:
    """Why it isn't ready, in its own words if it has any; None when it is."""
    try:
        answer = await endpoint.get("/readyz", silence_s=ready_timeout_s)
    except NoAnswerError as error:
        return str(error)
    return None if answer.status == 200 else f"{endpoint.name}/readyz says {answer.body.decode(errors='replace')}"


def _last_words(program: Program) -> str:
    lines = program.log_tail().strip().splitlines()[-why_lines:]
    return "; ".join(map(str.strip, lines)) or "it logged nothing"
