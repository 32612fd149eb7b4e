"""What clients of Kafka leave behind when a broker is away is kept from the log; other errors are not."""

import asyncio
import logging
import socket
from collections.abc import Callable
from functools import partial

import pytest
from aiokafka.errors import NodeNotReadyError

from shared.feed.kafka.clients import quiet_clients


def leave_future(error: Exception) -> None:
    asyncio.get_running_loop().create_future().set_exception(error)


def leave_connection() -> None:
    """As a client's connection says when it is collected."""
    asyncio.get_running_loop().call_exception_handler({"message": "Unclosed AIOKafkaConnection"})


@pytest.mark.parametrize(
    ("leave", "is_told"),
    [
        (partial(leave_future, NodeNotReadyError()), False),
        (partial(leave_future, socket.gaierror(socket.EAI_NONAME, "unknown")), False),
        (leave_connection, False),
        (partial(leave_future, ValueError("defect")), True),
    ],
)
async def test_what_is_left_behind_is_told_unless_a_broker_was_away(
    leave: Callable[[], None], is_told: bool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("asyncio"), "filters", [])
    monkeypatch.setattr(logging.getLogger("aiokafka"), "level", logging.CRITICAL)
    quiet_clients()
    leave()
    assert bool(caplog.records) is is_told
