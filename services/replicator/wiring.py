"""The composition root of the replicator: picks implementations, starts them, stops them in reverse."""

import asyncio
import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
import uvicorn

from services.replicator.io.http import HttpOwnRegion, HttpSourceRegion
from services.replicator.io.port import Membership, SourceRegion
from services.replicator.settings import ReplicatorSettings
from services.replicator.status import build_status
from services.replicator.work.run import Worker
from shared.clock import Clock, SystemClock
from shared.feed.kafka.follower import KafkaFeed
from shared.feed.port import Feed
from shared.feed.region_log import RegionLogFeed
from shared.model.tables import RegionName
from shared.settings import read_secret
from shared.topology import Region

log = structlog.get_logger(__name__)

status_stop_s = 2


class StatusServer(uvicorn.Server):
    """uvicorn without its own signal handling: the replicator decides when it stops."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Replicator:
    def __init__(self, settings: ReplicatorSettings, *, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._token = read_secret(settings.token_file)
        self._kafka_access = settings.kafka_access()
        self._region = RegionName(settings.region)
        self.worker = Worker(
            settings.worker or f"{socket.gethostname()}:{settings.port}",
            region=self._region,
            own=HttpOwnRegion(settings.endpoint, token=self._token, region=self._region),
            open_feed=self._open_feed,
            open_source=self._open_source,
            clock=self._clock,
            chance=random.random,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Serves until `stop` is set, then finishes what is in hand and ends within seconds."""
        server = StatusServer(
            uvicorn.Config(
                build_status(self.worker, token=self._token, clock=self._clock),
                host=self._settings.host,
                port=self._settings.port,
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=status_stop_s,
            )
        )
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(server.serve())
            working = tasks.create_task(self.worker.run())
            await _either(stop, serving)
            log.info("replicator stops")
            await self.worker.drain()
            working.cancel()
            server.should_exit = True

    def _open_source(self, peer: Region) -> SourceRegion:
        return HttpSourceRegion(
            self._endpoint_of(peer), source=RegionName(peer.name), token=self._token, target=self._region
        )

    def _open_feed(self, peer: Region, membership: Membership) -> Feed:
        if self._settings.feed == "kafka":
            bootstrap = dict(self._settings.kafka_bootstrap)[peer.name]
            log.info("link opens", source=peer.name, kafka=bootstrap)
            return KafkaFeed(bootstrap, source=peer.name, access=self._kafka_access)
        log.info("link opens", source=peer.name, endpoint=self._endpoint_of(peer))
        return RegionLogFeed(
            self._endpoint_of(peer),
            source=peer.name,
            token=self._token,
            target=self._region,
            rank=membership.rank,
            workers=membership.workers,
        )

    def _endpoint_of(self, peer: Region) -> str:
        """As this replicator is to reach a peer, where its own topology says so; otherwise as its region does."""
        topology = self._settings.topology
        return topology.named(peer.name).endpoint if peer.name in topology else peer.endpoint


async def _either(stop: asyncio.Event, serving: asyncio.Task[None]) -> None:
    """Until it is time to stop, or the status server has ended by itself."""
    waiting = asyncio.ensure_future(stop.wait())
    await asyncio.wait((waiting, serving), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
