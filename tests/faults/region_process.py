"""One region alone, as a process of a test: started, measured, stopped and killed."""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from services.lab.client import TableClient
from services.lab.ports import free_ports, loopback
from services.lab.processes import ChildProcess
from services.lab.record import Credentials
from shared.connection import Endpoint, NoAnswerError

name = "us-east-1"
ready_patience_s = 30.0
poll_s = 0.005


class RegionProcess:
    def __init__(self, data: Path, *, log: Path, flags: Sequence[str] = ()) -> None:
        """Nothing runs before `start`; data and log may lie on different disks."""
        (self._port,) = free_ports(1)
        command = [sys.executable, "-P", "-m", "services.region", "--region", name, "--port", str(self._port)]
        self.process = ChildProcess([*command, "--data", str(data), *flags], log=log)
        self.endpoint = f"http://{loopback}:{self._port}"

    async def start(self) -> float:
        """Seconds from the start of the process until it was ready."""
        began = time.monotonic()
        self.process.start()
        endpoint = Endpoint(self.endpoint)
        try:
            while not await _is_ready(endpoint):
                assert self.process.pid is not None, self.process.log_text()
                assert time.monotonic() - began < ready_patience_s, "the region does not get ready"
                await asyncio.sleep(poll_s)
        finally:
            await endpoint.close()
        return time.monotonic() - began

    def stop(self) -> None:
        self.process.stop()

    def client(self, *, connections: int = 4) -> TableClient:
        return TableClient(name, self.endpoint, Credentials("any", "any"), connections=connections, timeout_s=10)


async def _is_ready(endpoint: Endpoint) -> bool:
    try:
        return (await endpoint.get("/readyz", silence_s=ready_patience_s)).status == 200
    except NoAnswerError:
        return False
