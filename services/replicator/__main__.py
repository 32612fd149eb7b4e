"""Starts a replicator: `python -m services.replicator`, or `meridian replicator`."""

import asyncio
import signal
import sys
from collections.abc import Sequence

import uvloop

from services.replicator.settings import ReplicatorSettings
from services.replicator.wiring import Replicator
from shared.errors import OperatorError
from shared.feed.kafka.clients import quiet_clients
from shared.settings import load
from shared.telemetry import configure_logging


def main(argv: Sequence[str] | None = None) -> int:
    """Runs until SIGTERM or SIGINT. Raises `OperatorError` for settings that can't be used."""
    settings = load(ReplicatorSettings, argv, program="meridian replicator")
    configure_logging("replicator", settings.region)
    quiet_clients()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings))
    return 0


async def _serve(settings: ReplicatorSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await Replicator(settings).run(stop)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OperatorError as error:
        print(f"meridian replicator: {error}", file=sys.stderr)
        sys.exit(1)
