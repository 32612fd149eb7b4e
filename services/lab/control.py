"""How other processes talk to a lab's supervisor: a Unix socket in its folder, one JSON line each way a connection.

A request is `{"command": NAME, ...}`; the answer is `{"result": {...}}` or `{"error": {"what", "why", "next_step"}}`.
Who may open the socket (its owner) may do everything.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import orjson

from services.lab.layout import LabFolder
from shared.errors import OperatorError

Answer = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
line_bytes_max = 64 * 1024
answer_patience_s = 1.0


class ControlServer:
    def __init__(self, folder: LabFolder, answer: Answer) -> None:
        self._folder = folder
        self._answer = answer
        self._server: asyncio.Server | None = None
        self._answering: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Takes the place of a dead supervisor's socket; the caller holds the lab's lock."""
        self._folder.socket.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        with _short_path(self._folder) as path:
            listener.bind(path)
        self._folder.socket.chmod(0o600)
        self._server = await asyncio.start_unix_server(self._accept, sock=listener, limit=line_bytes_max)

    async def close(self) -> None:
        """Who has asked still gets the answer; who only keeps the line busy is not waited for."""
        if self._server is not None:
            self._server.close()
            self._folder.socket.unlink(missing_ok=True)
        if self._answering:
            await asyncio.wait(self._answering, timeout=answer_patience_s)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering = asyncio.create_task(self._serve(reader, writer))
        self._answering.add(answering)
        answering.add_done_callback(self._answering.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            document = await self._reply_to(await reader.readline())
            writer.write(orjson.dumps(document) + b"\n")
            await writer.drain()
        except (OSError, ValueError):
            pass  # whoever asked is gone, or sent no line
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _reply_to(self, line: bytes) -> dict[str, Any]:
        try:
            return {"result": await self._answer(orjson.loads(line))}
        except OperatorError as error:
            return {"error": {"what": error.what, "why": error.why, "next_step": error.next_step}}


def ask(folder: LabFolder, command: str, **arguments: object) -> dict[str, Any]:
    """The supervisor's result; raises its `OperatorError`, or one that says that no lab runs there. Blocks."""
    try:
        line = _exchange(folder, orjson.dumps({"command": command, **arguments}) + b"\n")
        document = orjson.loads(line)
    except FileNotFoundError as error:
        raise _no_lab(folder, why="it has no supervisor") from error
    except (OSError, orjson.JSONDecodeError) as error:
        raise _no_lab(folder, why="its supervisor doesn't answer; what it had started may still run") from error
    if "error" in document:
        refusal = document["error"]
        raise OperatorError(refusal["what"], why=refusal["why"], next_step=refusal["next_step"])
    result: dict[str, Any] = document["result"]
    return result


def _no_lab(folder: LabFolder, *, why: str) -> OperatorError:
    next_step = "Start it with: meridian lab up, or name another folder with --data"
    return OperatorError(f"no lab runs in {folder.path}", why=why, next_step=next_step)


def is_answering(folder: LabFolder) -> bool:
    with suppress(OSError), socket.socket(socket.AF_UNIX) as probe, _short_path(folder) as path:
        probe.connect(path)
        return True
    return False


def _exchange(folder: LabFolder, request: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        with _short_path(folder) as path:
            connection.connect(path)
        connection.sendall(request)
        with connection.makefile("rb") as answer:
            return answer.readline()


@contextmanager
def _short_path(folder: LabFolder) -> Iterator[str]:
    """A path of the socket that fits the 108 bytes that the system grants one, however deep the folder lies."""
    descriptor = os.open(folder.path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{folder.socket.name}"
    finally:
        os.close(descriptor)
