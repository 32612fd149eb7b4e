"""What clients of Kafka leave behind when a broker is away is kept from the log; other errors are not."""

import asyncio
import logging
import socket

import pytest
from aiokafka.errors import NodeNotReadyError

from shared.feed.kafka import quiet_clients


@pytest.mark.parametrize(
    ("error", "is_told"),
    [
        (NodeNotReadyError(), False),
        (socket.gaierror(socket.EAI_NONAME, "unknown"), False),
        (ValueError("defect"), True),
    ],
)
async def test_a_future_that_is_left_behind_is_told_unless_a_broker_was_away(
    error: Exception, is_told: bool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("asyncio"), "filters", [])
    monkeypatch.setattr(logging.getLogger("aiokafka"), "level", logging.CRITICAL)
    quiet_clients()
    future = asyncio.get_running_loop().create_future()
    future.set_exception(error)
    del future
    assert bool(caplog.records) is is_told
