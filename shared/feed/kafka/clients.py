"""Clients of aiokafka: started and stopped in bounded time, and quiet about brokers that are away."""

import asyncio
import logging
import socket
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.feed.kafka.access import KafkaAccess

log = logging.getLogger(__name__)

_start_limit_s = 3.0
_stop_limit_s = 1.0


def quiet_clients() -> None:
    """Keeps from the log what clients tell of every attempt to reach a broker that is away: their callers are told too.

    So they are of what is left behind then. Futures with an error that nobody awaits: a batch's waiter in aiokafka, the
    resolution of a host's name in uvloop. A connection of a client whose start was given up, which is closed when it
    is collected.
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    logging.getLogger("asyncio").addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    text = record.getMessage()
    error = record.exc_info[1] if record.exc_info else None
    is_abandoned = text.startswith("Future exception was never retrieved")
    return not (
        text.startswith("Unclosed AIOKafkaConnection")
        or (is_abandoned and isinstance(error, KafkaError | socket.gaierror))
    )


def way_in(bootstrap: str, access: KafkaAccess | None) -> dict[str, Any]:
    """What every client of aiokafka is to be given."""
    access = access or KafkaAccess()
    return {
        "bootstrap_servers": bootstrap,
        "security_protocol": access.protocol,
        "ssl_context": access.trust,
        "sasl_mechanism": access.mechanism,
        "sasl_plain_username": access.user or None,
        "sasl_plain_password": access.password or None,
    }


async def start(client: AIOKafkaConsumer | AIOKafkaProducer) -> None:
    """Starts a client within a limit, or stops it again."""
    try:
        async with asyncio.timeout(_start_limit_s):
            await client.start()
    except BaseException:
        await stop(client)
        raise


async def stop(client: AIOKafkaConsumer | AIOKafkaProducer) -> None:
    """Stops a client in bounded time and closes its connections.

    Its own `stop` may hang, or break off with a cancellation that nobody asked for (aiokafka issue 647).
    """
    connections = client.client if isinstance(client, AIOKafkaProducer) else client._client  # noqa: SLF001
    for part in (client.stop, connections.close):
        stopping = asyncio.ensure_future(part())
        done, _ = await asyncio.wait((stopping,), timeout=_stop_limit_s)
        if not done:
            stopping.cancel()
        elif not stopping.cancelled() and stopping.exception() is not None:
            log.warning("a Kafka client did not stop in order: %r", stopping.exception())
