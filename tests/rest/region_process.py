"""A region's process that a test may ask over HTTP."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import randrange

import httpx

_silent_port = 9  # "discard"
_looks = 1200
_look_s = 0.025


@contextmanager
def running_region(folder: Path) -> Iterator[str]:
    """The endpoint of us-east-1; its neighbour eu-west-1 is in the topology, and nobody listens there."""
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    topology = f"us-east-1=1={endpoint},eu-west-1=2=http://127.0.0.1:{_silent_port}"
    command = [sys.executable, "-m", "services.region", "--region", "us-east-1", "--topology", topology]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--data", str(folder / "data"), "--port", str(port)],
            cwd=Path(__file__).parents[2],
            stderr=log,
            stdout=log,
        )
        try:
            _wait_until_ready(endpoint, process)
            yield endpoint
        finally:
            process.terminate()
            process.wait(20)
    assert b"Traceback" not in (folder / "log").read_bytes(), (folder / "log").read_text()


def free_port() -> int:
    """Below the range from which connections get theirs, so that none takes it before the region does."""
    while True:
        port = randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _wait_until_ready(endpoint: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(_looks):
        with suppress(httpx.TransportError):
            if httpx.get(f"{endpoint}/readyz").status_code == 200:
                return
        with suppress(subprocess.TimeoutExpired):
            raise RuntimeError(f"the region ended with {process.wait(_look_s)}")
    raise RuntimeError("the region is not ready")
