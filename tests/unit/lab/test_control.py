"""The control socket: results and errors come back as they were, wherever the folder lies."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from services.lab.control import ControlServer, ask, is_answering
from services.lab.layout import LabFolder
from shared.errors import OperatorError


async def answer(request: dict[str, Any]) -> dict[str, Any]:
    if request["command"] == "fail":
        raise OperatorError("it failed", why="it was told to", next_step="Don't")
    return request


async def test_results_and_errors_come_back(tmp_path: Path) -> None:
    """The folder is deeper than a Unix socket's path may be long."""
    folder = LabFolder(tmp_path / ("deep" * 30))
    folder.make()
    server = ControlServer(folder, answer)
    await server.open()
    assert folder.socket.stat().st_mode & 0o777 == 0o600
    assert await asyncio.to_thread(is_answering, folder)
    assert await asyncio.to_thread(ask, folder, "say", word="hello") == {"command": "say", "word": "hello"}
    with pytest.raises(OperatorError) as failed:
        await asyncio.to_thread(ask, folder, "fail")
    assert (failed.value.what, failed.value.why, failed.value.next_step) == ("it failed", "it was told to", "Don't")
    await server.close()
    assert not is_answering(folder)
    with pytest.raises(OperatorError, match="no lab runs"):
        ask(folder, "say")


async def test_the_socket_of_a_dead_supervisor_is_replaced(tmp_path: Path) -> None:
    folder = LabFolder(tmp_path)
    folder.socket.touch()
    assert not is_answering(folder)
    server = ControlServer(folder, answer)
    await server.open()
    assert await asyncio.to_thread(ask, folder, "say") == {"command": "say"}
    await server.close()
