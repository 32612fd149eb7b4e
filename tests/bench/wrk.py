"""The load generator: wrk plays HTTP messages at a port over keep-alive connections and says how that went."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from services.lab.ports import loopback
from shared.errors import OperatorError

_script = Path(__file__).with_name("wrk.lua")
_patience_s = 30.0
_report = "report "


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw in one round."""

    requests: int
    seconds: float
    reply_bytes: float  # mean of whole replies
    p50_ms: float
    p99_ms: float

    @property
    def requests_per_s(self) -> float:
        return self.requests / self.seconds


def find_wrk() -> Path:
    found = shutil.which("wrk")
    if found is None:
        raise OperatorError(
            "the benchmark can't run",
            why="the load generator wrk is not installed",
            next_step="On Debian and Ubuntu: sudo apt-get install wrk",
        )
    return Path(found)


def write_messages(messages: Sequence[bytes], path: Path) -> Path:
    """Makes the file that the script plays."""
    path.write_bytes(b"".join(b"%d\n%b" % (len(message), message) for message in messages))
    return path


def play(messages: Path, port: int, *, connections: int, seconds: int) -> Load:
    """Runs one round. Raises `OperatorError` unless every reply was a success."""
    with playing(messages, port, connections=connections, seconds=seconds) as wrk:
        return finish(wrk)


@contextmanager
def playing(
    messages: Path, port: int, *, connections: int, seconds: int, gives_way: bool = False
) -> Iterator["subprocess.Popen[str]"]:
    """wrk at work, for `finish`; it never outlives the block.

    One that `gives_way` leaves the core that generators share to whoever measures: its large replies must not be
    what the other's small ones wait for.
    """
    niceness = ["nice", "-n", "19"] if gives_way else []
    flags = f"--threads 1 --connections {connections} --duration {seconds}s --script".split()
    url = f"http://{loopback}:{port}/"
    wrk = subprocess.Popen(
        [*niceness, str(find_wrk()), *flags, str(_script), url, "--", str(messages)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield wrk
    finally:
        if wrk.poll() is None:
            wrk.kill()
        wrk.communicate()


def finish(wrk: "subprocess.Popen[str]") -> Load:
    """Waits for the end of a round."""
    output, _ = wrk.communicate(timeout=_patience_s)
    return load_of(output)


def load_of(output: str) -> Load:
    """Reads what wrk printed; raises `OperatorError` for failed requests, or when there is no report."""
    line = next((line for line in output.splitlines() if line.startswith(_report)), None)
    if line is None:
        raise _failed(f"wrk reported nothing: {output.strip()}")
    report = orjson.loads(line.removeprefix(_report))
    errors = {kind: count for kind, count in report["errors"].items() if count}
    if errors or not report["requests"]:
        counts = ", ".join(f"{kind} {count}" for kind, count in errors.items()) or "no reply at all"
        raise _failed(f"of {report['requests']} requests some failed: {counts}")
    return Load(
        requests=report["requests"],
        seconds=report["duration_us"] / 1e6,
        reply_bytes=report["bytes"] / report["requests"],
        p50_ms=report["p50_us"] / 1e3,
        p99_ms=report["p99_us"] / 1e3,
    )


def _failed(why: str) -> OperatorError:
    return OperatorError(
        "a round of the benchmark is void", why=why, next_step="Look at the servers' logs in build/bench"
    )
