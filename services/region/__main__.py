"""`meridian region`: one region service on uvicorn, until it is told to stop."""

import asyncio
import resource
import sys
from collections.abc import Sequence

import structlog
import uvicorn
import uvloop

from services.region.api.dynamodb.protocol import protocol_for
from services.region.settings import RegionSettings
from services.region.wiring import open_region
from shared.clock import SystemClock
from shared.errors import OperatorError
from shared.settings import load
from shared.telemetry import configure_logging

log = structlog.get_logger(__name__)

_keep_alive_s = 75
_drain_s = 8
_switch_interval_s = 0.001


def main(argv: Sequence[str] | None = None) -> int:
    """0 after an orderly stop, 1 with what to do when the region can't run."""
    try:
        settings = load(RegionSettings, argv, program="meridian region")
        configure_logging("region", settings.region)
        _raise_descriptor_limit()
        sys.setswitchinterval(_switch_interval_s)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings))
    except OperatorError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


async def serve(settings: RegionSettings) -> None:
    """Runs until SIGTERM or SIGINT: not ready, requests in flight answered, everything flushed, then the end."""
    async with open_region(settings, SystemClock()) as service:
        server = uvicorn.Server(
            uvicorn.Config(
                service.app,
                host=settings.host,
                port=settings.port,
                http=protocol_for(service.endpoint),
                loop="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                timeout_keep_alive=_keep_alive_s,
                timeout_graceful_shutdown=_drain_s,
                backlog=1024,
            )
        )
        log.info("region is starting", port=settings.port, data=str(settings.data))
        await server.serve()
        service.readiness.is_ready = False
    log.info("region has stopped")


def _raise_descriptor_limit() -> None:
    """Open partitions hold a few descriptors each, connections one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    sys.exit(main())
