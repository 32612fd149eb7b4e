"""One region service on uvicorn, until it is told to stop."""

import asyncio
import fcntl
import gc
import os
import resource
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import structlog
import uvicorn
import uvloop

from services.region.api.dynamodb.protocol import protocol_for
from services.region.settings import RegionSettings
from services.region.wiring import Readiness, open_region
from shared.clock import SystemClock
from shared.durability import make_folder
from shared.errors import OperatorError
from shared.feed.kafka.clients import quiet_clients
from shared.settings import load
from shared.telemetry import configure_logging
from shared.topology import endpoint_of

log = structlog.get_logger(__name__)

_keep_alive_s = 75
_drain_s = 8


def run(argv: Sequence[str] | None) -> None:
    """Until an orderly stop; raises `OperatorError` when the region can't run."""
    settings = load(RegionSettings, argv, program="meridian region")
    configure_logging("region", settings.region)
    quiet_clients()
    _raise_descriptor_limit()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings))


async def serve(settings: RegionSettings) -> None:
    """Runs until SIGTERM or SIGINT: not ready, requests in flight answered, everything flushed, then the end."""
    with listening_socket(settings) as listening, sole_use(settings.data):
        await _serve_on(listening, settings)
    log.info("region has stopped")


async def _serve_on(listening: socket.socket, settings: RegionSettings) -> None:
    async with open_region(settings, SystemClock()) as service:
        server = Server(
            service.readiness,
            uvicorn.Config(
                service.app,
                http=protocol_for(service.endpoint),
                loop="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                headers=[("server", "Server")],  # the word that DynamoDB sends
                timeout_keep_alive=_keep_alive_s,
                timeout_graceful_shutdown=_drain_s,
                backlog=1024,
            ),
        )
        gc.freeze()  # what lives as long as the process need not be looked at in every full collection
        gc.enable()
        log.info("region is starting", endpoint=endpoint_of(settings.host, settings.port), data=str(settings.data))
        await server.serve(sockets=[listening])


def listening_socket(settings: RegionSettings) -> socket.socket:
    """Takes the port before anything is opened, so that a second start harms nothing."""
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        return socket.create_server((settings.host, settings.port), family=family, backlog=1024)
    except OSError as error:
        raise OperatorError(
            f"region {settings.region} can't listen on {settings.host}:{settings.port}",
            why=os.strerror(error.errno) if error.errno else str(error),
            next_step="Stop what uses the port, or give another --port",
        ) from error


@contextmanager
def sole_use(folder: Path) -> Iterator[None]:
    """Holds a region's data until this process ends, however it does: a second one would write beside it unseen."""
    make_folder(folder.absolute())
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _take(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OperatorError(
            f"the data in {folder} is in use",
            why="another region process holds it",
            next_step="Stop that process, or give another --data",
        ) from error


class Server(uvicorn.Server):
    """uvicorn's server, not ready from the moment it is told to stop."""

    def __init__(self, readiness: Readiness, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._readiness = readiness

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's, but a signal that was obeyed is not raised again: what is open has yet to be closed."""
        loop = asyncio.get_running_loop()
        for sig in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sig, self.handle_exit, sig, None)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._readiness.is_ready = False
        super().handle_exit(sig, frame)


def _raise_descriptor_limit() -> None:
    """Open partitions hold a few descriptors each, connections one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
