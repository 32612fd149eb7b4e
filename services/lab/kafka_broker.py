"""A real Kafka broker without containers: one KRaft node on loopback, from jars that Maven fetches once.

`python -m services.lab.kafka_broker --prepare` fills the cache (`shared.settings.cache_folder`); a broker does it at
its first start if that was left out. What a broker stores lives in its folder and outlives `stop` and `kill`.
"""

import argparse
import fcntl
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from services.lab.layout import open_private
from services.lab.ports import free_ports, loopback
from services.lab.processes import ChildProcess, ProcessIdentity
from shared.errors import OperatorError
from shared.settings import cache_folder

version = "4.3.1"  # as in the pom beside this file
record_bytes_max = 8 * 1024 * 1024
start_patience_s = 60.0

_pom = Path(__file__).with_name("kafka_broker.pom.xml")
_cluster_id = "5L6g3nShT-eMCtK--X86sw"
_started = "Kafka Server started"
_heap = ("-Xms256m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_packages = {"java": "default-jre-headless", "mvn": "maven"}

_logging = """\
rootLogger.level=INFO
rootLogger.appenderRef.console.ref=console
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=[%d] %p %m (%c)%n
"""


class ProxiedListener(NamedTuple):
    port: int  # where the broker listens
    proxy_port: int  # where its readers are told to find it


class KafkaBroker:
    """One broker with its own cluster.

    A reader that comes through a proxy has a listener of its own, since a broker tells its readers where to go on;
    everybody else uses `bootstrap`.
    """

    def __init__(self, folder: Path, *, proxied: Sequence[ProxiedListener] = (), log: Path | None = None) -> None:
        self.folder = folder.absolute()
        self.log = log or self.folder / "broker.log"
        self._proxied = proxied
        self._port, self._controller_port = free_ports(2)
        command = _java_command("kafka.Kafka", "server.properties")
        self._process = ChildProcess(command, log=self.log, folder=self.folder)

    @property
    def bootstrap(self) -> str:
        return f"{loopback}:{self._port}"

    @property
    def pid(self) -> int | None:
        """None when it doesn't run."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs and before it ran; negative for the signal that ended it."""
        return self._process.exit_code

    def start(self) -> ProcessIdentity:
        """Returns once the broker serves; raises `OperatorError` when it doesn't get that far. Blocks."""
        prepare()
        self._configure()
        self._refuse_if_formatting_fails()
        identity = self._process.start()
        _await_start(self._process)
        return identity

    def stop(self) -> None:
        self._process.stop()

    def kill(self) -> None:
        """SIGKILL: nothing is flushed or said goodbye to."""
        self._process.kill()

    def log_tail(self) -> str:
        """The end of what this run has logged."""
        return self._process.log_tail()

    def properties(self) -> dict[str, object]:
        """What it is configured with."""
        listeners = {"PLAINTEXT": self._port} | {f"PROXIED{n}": each.port for n, each in enumerate(self._proxied)}
        advertised = listeners | {f"PROXIED{n}": each.proxy_port for n, each in enumerate(self._proxied)}
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@{loopback}:{self._controller_port}",
            "listeners": _addresses(listeners | {"CONTROLLER": self._controller_port}),
            "advertised.listeners": _addresses(advertised),
            "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in (*listeners, "CONTROLLER")),
            "inter.broker.listener.name": "PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": self.folder / "data",
            "auto.create.topics.enable": "false",
            "message.max.bytes": record_bytes_max,
            "offsets.topic.replication.factor": 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
            # After kill -9 the controller refuses the broker until its old registration has timed out.
            "broker.session.timeout.ms": 1500,
            "broker.heartbeat.interval.ms": 300,
        }

    def _configure(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / "log4j2.properties").write_text(_logging, encoding="ascii")
        lines = (f"{name}={value}\n" for name, value in self.properties().items())
        (self.folder / "server.properties").write_text("".join(lines), encoding="utf-8")

    def _refuse_if_formatting_fails(self) -> None:
        if (self.folder / "data" / "meta.properties").exists():
            return
        command = _java_command(
            "kafka.tools.StorageTool", "format", "--cluster-id", _cluster_id, "--config", "server.properties"
        )
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise OperatorError(
                f"Kafka can't make its storage in {self.folder}",
                why=_last_lines(done.stderr or done.stdout),
                next_step="Check that the folder is writable and the disk has room",
            )


def prepare() -> None:
    """Fetches the jars and records the class archive for quick starts, unless the cache has them. Blocks."""
    _refuse_missing("java")
    home = _home()
    if _archive(home).exists():
        return
    with _alone(home):
        if not _libraries(home).exists():
            _fetch_libraries(home)
        if not _archive(home).exists():
            _record_archive(home)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m services.lab.kafka_broker", description=__doc__.partition("\n")[0])
    parser.add_argument("--prepare", action="store_true", required=True, help="fill the cache for quick starts")
    parser.parse_args(argv)
    try:
        prepare()
    except OperatorError as error:
        print(f"{error.what}: {error.why}.\n{error.next_step}.", file=sys.stderr)
        return 1
    return 0


def _home() -> Path:
    return cache_folder().absolute() / f"kafka-{version}"


def _libraries(home: Path) -> Path:
    return home / "libs"


def _archive(home: Path) -> Path:
    return home / "kafka.jsa"


def _java_command(*program: str) -> list[str]:
    home = _home()
    return [
        "java",
        *_heap,
        f"-XX:SharedArchiveFile={_archive(home)}",
        "-Xlog:disable",  # an archive of another Java is passed over in silence
        "-Xlog:all=error:stderr",
        *_arguments(home, *program),
    ]


def _arguments(home: Path, *program: str) -> list[str]:
    return ["-Dlog4j2.configurationFile=log4j2.properties", "-cp", f"{_libraries(home)}/*", *program]


def _addresses(ports: Mapping[str, int]) -> str:
    return ",".join(f"{name}://{loopback}:{port}" for name, port in ports.items())


def _refuse_missing(program: str) -> None:
    if shutil.which(program) is None:
        raise OperatorError(
            f"Kafka needs the program {program}",
            why="it is not installed",
            next_step=f"Install it (on Debian and Ubuntu: sudo apt-get install {' '.join(_packages.values())}), "
            "or use the embedded feed, which needs neither",
        )


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Holds the cache, so that brokers that start at the same time fill it once."""
    home.mkdir(parents=True, exist_ok=True)
    with open_private(home / "lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch_libraries(home: Path) -> None:
    _refuse_missing("mvn")
    with tempfile.TemporaryDirectory(dir=home) as folder:
        fetched = Path(folder) / "libs"
        command = ["mvn", "-q", "-B", "-f", str(_pom), "dependency:copy-dependencies"]
        command += ["-DincludeScope=runtime", f"-DoutputDirectory={fetched}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise OperatorError(
                f"the jars of Kafka {version} can't be fetched",
                why=_last_lines(done.stdout or done.stderr),
                next_step=f"Check that Maven reaches its repository: {' '.join(command)}",
            )
        fetched.rename(_libraries(home))


def _record_archive(home: Path) -> None:
    """Starts and stops a broker that writes down which classes it loads."""
    with tempfile.TemporaryDirectory(dir=home) as folder:
        recorded = Path(folder) / "kafka.jsa"
        broker = _RecordingBroker(Path(folder), recorded)
        broker.record()
        recorded.rename(_archive(home))


class _RecordingBroker(KafkaBroker):
    def __init__(self, folder: Path, recorded: Path) -> None:
        super().__init__(folder)
        command = ["java", *_heap, f"-XX:ArchiveClassesAtExit={recorded}"]
        command += _arguments(_home(), "kafka.Kafka", "server.properties")
        self._process = ChildProcess(command, log=self.log, folder=self.folder)

    def record(self) -> None:
        self._configure()
        self._refuse_if_formatting_fails()
        self._process.start()
        _await_start(self._process)
        self._process.stop(grace_s=start_patience_s)


def _await_start(process: ChildProcess) -> None:
    deadline = time.monotonic() + start_patience_s
    while _started not in process.log_text():
        if process.pid is None or time.monotonic() > deadline:
            process.kill()
            raise OperatorError(
                "the Kafka broker doesn't start",
                why=_last_lines(process.log_tail()) or "it said nothing",
                next_step=f"Read {process.log}",
            )
        time.sleep(0.05)


def _last_lines(text: str) -> str:
    return " / ".join(line.strip() for line in text.strip().splitlines()[-3:])


if __name__ == "__main__":
    sys.exit(main())
